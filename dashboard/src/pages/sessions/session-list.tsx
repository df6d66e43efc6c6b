import { Link } from '@tanstack/react-router';
import { sessionRank, type Session } from '../../api/sessions.ts';
import { formatCompact, formatCount, formatLatency, plural } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { RankHead } from '../../shell/rank-head.tsx';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { TagChips } from '../requests/tag-chips.tsx';
import { modelWords, SessionCost, SessionEntity } from './session-words.tsx';

type SessionListProps = { readonly sessions: readonly Session[]; readonly tz: string };

export function SessionList({ sessions, tz }: SessionListProps) {
  const [search] = useSearchState();
  const by = sessionRank(search);
  const today = dayIn(tz, nowMs());
  return (
    <div className="relative overflow-x-auto rounded-t-lg">
      <table className="w-full border-collapse text-[13px]">
        <caption className="sr-only">Sessions</caption>
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
            <th scope="col" className="pl-4">
              Session
            </th>
            <th scope="col" className="hidden px-3 lg:table-cell">
              Tags in common
            </th>
            <th scope="col" className="hidden px-3 xl:table-cell">
              Entity
            </th>
            <th scope="col" className="hidden px-3 md:table-cell">
              Models
            </th>
            <RankHead by={by} rank="turns" look="text-right">
              Turns
            </RankHead>
            <RankHead by={by} rank="duration" look="hidden text-right sm:table-cell">
              Duration
            </RankHead>
            <RankHead by={by} rank="recent" look="hidden text-right sm:table-cell">
              Last call
            </RankHead>
            <RankHead by={by} rank="cost" look="pr-4 text-right">
              Cost
            </RankHead>
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <SessionRow
              key={session.session_id}
              session={session}
              last={stampIn(tz, Date.parse(session.last_at), today)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SessionRow({ session, last }: { readonly session: Session; readonly last: string }) {
  const tokens = session.input_tokens + session.output_tokens;
  return (
    <tr className="group relative h-10 border-b border-line last:border-0 hover:bg-hover">
      <td className="w-full max-w-0 py-2 pl-4 align-top lg:w-[22%] lg:min-w-44">
        <Link
          to="/ui/sessions/$id"
          params={{ id: session.session_id }}
          search={(previous) => ({ ...parseSearch(previous), page: 1 })}
          title={session.session_id}
          // The link's area is the whole row; chips lie above it.
          className="block truncate rounded-sm leading-5 font-medium decoration-line-strong underline-offset-4 group-hover:underline after:absolute after:inset-0"
        >
          {session.session_id}
        </Link>
        {session.steps > 0 && <span className="block text-xs text-ink-3">run of {plural(session.steps, 'step')}</span>}
      </td>
      <td className="hidden max-w-0 px-3 py-2 align-top lg:table-cell lg:w-[30%]">
        <span className="relative z-[1] inline-block max-w-full">
          <TagChips event={{ ...session, labels: [], paths: [] }} chips="filters" none="none" />
        </span>
      </td>
      <td className="hidden px-3 py-2 align-top xl:table-cell">
        <SessionEntity of={session} />
      </td>
      <td className="hidden px-3 py-2 align-top leading-5 md:table-cell">
        <span className="block max-w-44 truncate text-ink-2" title={session.models.join(', ')}>
          {modelWords(session.models)}
        </span>
      </td>
      <td
        className="px-3 py-2 text-right align-top leading-5"
        title={`${formatCount(session.input_tokens)} tokens in, ${formatCount(session.output_tokens)} out`}
      >
        {formatCount(session.turns)}
        <span className="sr-only"> turns, {formatCompact(tokens)} tokens</span>
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 sm:table-cell">
        {formatLatency(session.duration_ms)}
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 sm:table-cell">
        {last}
      </td>
      <td className="py-2 pr-4 pl-3 text-right align-top leading-5 whitespace-nowrap">
        <span className="inline-flex items-center gap-2">
          {session.sandbox && <PlayMoney words="short" />}
          <SessionCost of={session} />
        </span>
      </td>
    </tr>
  );
}
