import type { AlertChannel, AlertDelivery, AlertEvent } from '../../api/alerts.ts';
import { useSearchState } from '../../search/use-search.ts';
import { minuteIn } from '../../time/zone.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Nothing, Section } from './form-parts.tsx';

/** What fires, and what did lately. */
export function EventList({ events }: { readonly events: readonly AlertEvent[] }) {
  const [{ tz }] = useSearchState();
  const firing = events.filter(({ state }) => state === 'firing').length;
  return (
    <Section id="events-heading" title="Alerts" note={firing === 0 ? 'nothing fires' : `${firing} firing`}>
      {events.length === 0 && <Nothing>No rule was ever over its limit.</Nothing>}
      <ul>
        {events.map((event) => (
          <li key={event.id} className="flex flex-wrap items-start gap-x-4 border-t border-line px-4 py-2 text-[13px]">
            <span className="w-full sm:w-20">
              <Badge tone={event.state === 'resolved' ? 'neutral' : event.severity === 'info' ? 'warn' : 'bad'}>
                {event.state}
              </Badge>
            </span>
            <span className="min-w-0 flex-1 basis-64">
              <span className="font-medium">{event.rule.name}</span>
              <span className="block text-ink-2">{event.sentence}</span>
            </span>
            <span className="text-ink-3 tabular-nums">
              {minuteIn(tz, Date.parse(event.opened_at))}
              {event.resolved_at !== null && ` to ${minuteIn(tz, Date.parse(event.resolved_at))}`}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const TONES: Readonly<Record<string, Tone>> = { delivered: 'good', failed: 'bad', waiting: 'warn' };

type DeliveryListProps = {
  readonly deliveries: readonly AlertDelivery[];
  readonly channels: readonly AlertChannel[];
};

/** What was sent where, and what came back. */
export function DeliveryList({ deliveries, channels }: DeliveryListProps) {
  const [{ tz }] = useSearchState();
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  return (
    <Section id="deliveries-heading" title="Deliveries" note="the last 20">
      {deliveries.length === 0 && <Nothing>Nothing was sent yet.</Nothing>}
      <ul>
        {deliveries.map((delivery) => (
          <li
            key={delivery.id}
            className="flex flex-wrap items-start gap-x-4 border-t border-line px-4 py-2 text-[13px]"
          >
            <span className="w-full sm:w-20">
              <Badge tone={TONES[delivery.state] ?? 'neutral'}>{delivery.state}</Badge>
            </span>
            <span className="min-w-0 flex-1 basis-64">
              {delivery.kind} to{' '}
              <span className="font-medium">{names.get(delivery.channel_id) ?? 'a former channel'}</span>
              <span className="block truncate text-ink-3">{answerWords(delivery)}</span>
            </span>
            <span className="text-ink-3 tabular-nums">{minuteIn(tz, Date.parse(delivery.created_at))}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function answerWords({ attempts, answers }: AlertDelivery): string {
  const [last] = answers;
  if (last === undefined) return 'no attempt yet';
  const status = last.status === null ? '' : `${last.status} `;
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}; answer: ${status}${last.answer}`;
}
