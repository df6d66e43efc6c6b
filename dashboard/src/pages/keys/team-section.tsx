import type { Key } from '../../api/keys.ts';
import { useSearchState } from '../../search/use-search.ts';
import { nowMs } from '../../time/clock.ts';
import { dayIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { MoneyCell, paceWords } from './money-cell.tsx';
import type { TeamKeys } from './key-rows.ts';

const HEAD = 'px-4 py-2 text-left text-xs font-normal text-ink-2';

export function TeamSection({ id, team, keys }: TeamKeys) {
  const title = team?.team_alias ?? (id === '' ? 'Without a team' : id);
  const pace = team === null ? '' : paceWords(team);
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3 text-[13px]">
        <h2 className="mr-auto font-semibold">
          {title} {team?.blocked === true && <Badge tone="bad">blocked</Badge>}
        </h2>
        {pace !== '' && <span className="text-ink-2">{pace}</span>}
        {team !== null && <MoneyCell of={team} label={`Budget of ${title}`} />}
      </div>
      {keys.length === 0 ? (
        <p className="border-t border-line px-4 py-3 text-[13px] text-ink-2">It has no keys.</p>
      ) : (
        <div className="overflow-x-auto">
          <table className="w-full min-w-[720px] border-t border-line text-[13px]">
            <thead>
              <tr>
                <th className={HEAD}>Key</th>
                <th className={HEAD}>Owner</th>
                <th className={HEAD}>Models</th>
                <th className={HEAD}>Limits</th>
                <th className={HEAD}>Last used</th>
                <th className={HEAD}>Spent</th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <KeyRow key={key.id} of={key} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function KeyRow({ of }: { readonly of: Key }) {
  const [{ tz }] = useSearchState();
  const pace = paceWords(of);
  const expired = of.expires !== null && Date.parse(of.expires) <= nowMs();
  return (
    <tr className="border-t border-line align-top">
      <td className="px-4 py-2">
        <span className="font-medium">{of.name}</span> {of.blocked && <Badge tone="bad">blocked</Badge>}
        {expired && <Badge tone="warn">expired</Badge>}
        <code className="block text-xs text-ink-3">{of.key_name}</code>
      </td>
      <td className="px-4 py-2 text-ink-2">{of.user_id ?? ''}</td>
      <td className="max-w-48 truncate px-4 py-2 text-ink-2" title={of.models.join(', ')}>
        {of.models.length === 0 ? 'all' : of.models.join(', ')}
      </td>
      <td className="px-4 py-2 text-ink-2">{pace === '' ? 'none' : pace}</td>
      <td className="px-4 py-2 whitespace-nowrap text-ink-2">
        {of.last_active === null ? 'never' : dayIn(tz, Date.parse(of.last_active))}
      </td>
      <td className="px-4 py-2">
        <MoneyCell of={of} label={`Budget of ${of.name}`} />
      </td>
    </tr>
  );
}
