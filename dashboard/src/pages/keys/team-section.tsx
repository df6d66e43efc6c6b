import { Badge } from '../../ui/badge.tsx';
import { KeyTable } from './key-table.tsx';
import { titleOf, type TeamKeys } from './key-rows.ts';
import { MoneyCell, paceWords } from './money-cell.tsx';

export function TeamSection({ of }: { readonly of: TeamKeys }) {
  const { id, team, keys } = of;
  const title = titleOf(of);
  const pace = team === null ? '' : paceWords(team);
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3 text-[13px]">
        <h2 className="mr-auto font-semibold">
          {title} {team?.blocked === true && <Badge tone="bad">blocked</Badge>}
        </h2>
        {pace !== '' && <span className="text-ink-2">{pace}</span>}
        {team !== null && (
          <div className={team.max_budget === null ? '' : 'w-60'}>
            <MoneyCell of={team} label={`Budget of ${title}`} />
          </div>
        )}
      </div>
      {keys.length > 0 && <KeyTable keys={keys} />}
      {keys.length === 0 && (
        <p className="border-t border-line px-4 py-3 text-[13px] text-ink-2">
          It has no keys yet. POST /key/generate with <code>{`{"team_id": ${JSON.stringify(id)}}`}</code> makes one.
        </p>
      )}
    </section>
  );
}
