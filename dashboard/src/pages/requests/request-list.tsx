import type { MouseEvent } from 'react';
import type { CallEvent } from '../../api/events.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatLatency, tokenSum, tokenWords } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { CostState, StatusMark } from './call-marks.tsx';
import { TagChips } from './tag-chips.tsx';

type RequestListProps = { readonly events: readonly CallEvent[]; readonly tz: string };

export function RequestList({ events, tz }: RequestListProps) {
  const today = dayIn(tz, nowMs());
  return (
    <div className="relative overflow-x-auto rounded-t-lg">
      <table className="w-full border-collapse text-[13px]">
        <caption className="sr-only">Requests, newest first</caption>
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
            <th scope="col" className="pl-4">
              Time
            </th>
            <th scope="col" className="px-3">
              Model
            </th>
            <th scope="col" className="hidden px-3 md:table-cell">
              Tags
            </th>
            <th scope="col" className="hidden px-3 xl:table-cell">
              Entity
            </th>
            <th scope="col" className="hidden px-3 text-right lg:table-cell">
              Tokens
            </th>
            <th scope="col" className="hidden px-3 text-right lg:table-cell">
              Latency
            </th>
            <th scope="col" className="hidden px-3 sm:table-cell">
              Status
            </th>
            <th scope="col" className="hidden px-3 sm:table-cell">
              Cost state
            </th>
            <th scope="col" className="pr-4 pl-3 text-right">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((event, at) => (
            <RequestRow
              key={event.entry_id ?? `old ${at}`}
              event={event}
              time={stampIn(tz, Date.parse(event.timestamp), today)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RequestRow({ event, time }: { readonly event: CallEvent; readonly time: string }) {
  const [search, change] = useSearchState();
  const open = (click: MouseEvent): void => {
    click.stopPropagation();
    if (event.entry_id !== null) change({ call: event.entry_id });
  };
  const tokens = tokenSum(event);
  return (
    <tr
      onClick={open}
      data-open={search.call === event.entry_id}
      className={`group h-10 border-b border-line last:border-0 hover:bg-hover data-[open=true]:bg-accent-soft ${event.entry_id === null ? '' : 'cursor-pointer'}`}
    >
      <td className="py-2 pl-4 align-top whitespace-nowrap">
        <button
          type="button"
          onClick={open}
          disabled={event.entry_id === null}
          title={event.entry_id === null ? `${event.timestamp}: its detail is no longer kept` : event.timestamp}
          aria-label={`Open the request of ${time}`}
          className="align-top leading-5 rounded-sm text-ink-2 decoration-line-strong underline-offset-4 enabled:group-hover:text-ink enabled:group-hover:underline"
        >
          {time}
        </button>
      </td>
      <td className="w-full max-w-0 px-3 py-2 align-top md:w-px md:max-w-none">
        <span className="block max-w-56 truncate leading-5 font-medium" title={`${event.provider}/${event.model}`}>
          {event.model}
        </span>
        <span className="mt-1 block md:hidden">
          <TagChips event={event} chips="plain" />
        </span>
      </td>
      <td className="hidden max-w-0 min-w-52 px-3 py-2 align-top md:table-cell md:w-[40%]">
        <TagChips event={event} chips="filters" />
      </td>
      <td className="hidden px-3 py-2 align-top xl:table-cell">
        {event.entity_type === null || event.entity_id === null ? (
          <span className="text-ink-3">{UNKNOWN_AMOUNT}</span>
        ) : (
          <span className="block max-w-44 truncate leading-5" title={`${event.entity_type}/${event.entity_id}`}>
            <span className="text-ink-3">{event.entity_type}/</span>
            {event.entity_id}
          </span>
        )}
      </td>
      <td
        className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap lg:table-cell"
        title={tokenWords(event)}
      >
        {tokens === null ? UNKNOWN_AMOUNT : formatCompact(tokens)}
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 lg:table-cell">
        {formatLatency(event.latency_ms)}
      </td>
      <td className="hidden px-3 py-2 align-top whitespace-nowrap sm:table-cell">
        <StatusMark event={event} />
      </td>
      <td className="hidden px-3 py-2 align-top whitespace-nowrap sm:table-cell">
        <CostState state={event.cost_state} />
      </td>
      <td className="py-2 pr-4 pl-3 text-right align-top leading-5">
        <span className="inline-flex flex-wrap items-center justify-end gap-x-2 gap-y-1 lg:flex-nowrap lg:whitespace-nowrap">
          {event.sandbox && <PlayMoney words="short" />}
          {event.cost_state !== 'exact' && (
            <span className="sm:hidden">
              <CostState state={event.cost_state} />
            </span>
          )}
          <span
            className="font-medium"
            title={event.cost_usd_exact === null ? 'Not known' : formatExactMoney(event.cost_usd_exact)}
          >
            {event.cost_usd_exact === null ? UNKNOWN_AMOUNT : formatMoney(event.cost_usd_exact)}
          </span>
        </span>
      </td>
    </tr>
  );
}

const PLACEHOLDERS = Array.from({ length: 12 }, (_, at) => at);

export function RequestListSkeleton() {
  return (
    <div aria-busy="true" aria-label="Loading the requests" className="rounded-lg border border-line bg-surface">
      {PLACEHOLDERS.map((at) => (
        <div key={at} className="flex h-10 items-center gap-6 border-b border-line px-4 last:border-0">
          <Skeleton className="h-3 w-16" />
          <Skeleton className="h-3 w-28" />
          <Skeleton className="hidden h-4 w-56 md:block" />
          <Skeleton className="ml-auto h-3 w-16" />
        </div>
      ))}
    </div>
  );
}
