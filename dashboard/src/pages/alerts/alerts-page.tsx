import { useQuery } from '@tanstack/react-query';
import { alertEventsQuery, channelsQuery, deliveriesQuery, rulesQuery } from '../../api/alerts.ts';
import { PageHeader } from '../../shell/page-header.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { ChannelList } from './channel-list.tsx';
import { DeliveryList, EventList } from './history.tsx';
import { RuleList } from './rule-list.tsx';

/** What is watched, what fires, who is told, and what became of that. */
export function AlertsPage() {
  const rules = useQuery(rulesQuery);
  const channels = useQuery(channelsQuery);
  const events = useQuery(alertEventsQuery);
  const deliveries = useQuery(deliveriesQuery);
  const error = rules.error ?? channels.error ?? events.error ?? deliveries.error;
  const retry = (): void => {
    for (const one of [rules, channels, events, deliveries]) void one.refetch();
  };
  const isThere =
    rules.data !== undefined &&
    channels.data !== undefined &&
    events.data !== undefined &&
    deliveries.data !== undefined;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        title="Alerts"
        freshness="Rules are looked at every minute; each crossing is told once in its window"
        period="whole"
      />
      {!isThere && error !== null && <Problem title="The alerts could not be read" error={error} onRetry={retry} />}
      {!isThere && error === null && <Skeleton className="h-64" />}
      {isThere && (
        <>
          <EventList events={events.data} />
          <RuleList rules={rules.data} channels={channels.data} />
          <ChannelList channels={channels.data} />
          <DeliveryList deliveries={deliveries.data} channels={channels.data} />
        </>
      )}
    </div>
  );
}
