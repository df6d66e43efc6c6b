import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { unpricedQuery, type UnpricedModel } from '../../api/prices.ts';
import { useRight } from '../../api/session.ts';
import { formatCompact, plural } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { describeRange } from '../../time/period.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { RepricePanel } from './reprice-panel.tsx';

/** Models whose calls of the period have no price, or none for a part of them. Nothing when there are none. */
export function UnpricedModels() {
  const [search] = useSearchState();
  const unpriced = useQuery(unpricedQuery(search, 'unpriced'));
  const incomplete = useQuery(unpricedQuery(search, 'incomplete'));
  const [open, setOpen] = useState<string | null>(null);
  const [done, setDone] = useState<readonly string[]>([]);
  const finish = (words: string): void => {
    setOpen(null);
    setDone([...done, words]);
  };
  const models = [
    ...(unpriced.data?.data ?? []).map((row) => ({ row, state: 'unpriced' }) as const),
    ...(incomplete.data?.data ?? []).map((row) => ({ row, state: 'incomplete' }) as const),
  ].filter(({ row }) => row.total_attempts > 0);
  if (models.length === 0 && done.length === 0) return null;
  return (
    <section aria-labelledby="unpriced-heading" className="rounded-lg border border-warn-line bg-surface shadow-card">
      <h2 id="unpriced-heading" className="px-4 pt-3 pb-2 text-[13px] font-semibold">
        Called without a price
        <span className="ml-2 font-normal text-ink-3">{describeRange(search)}</span>
      </h2>
      {done.map((words) => (
        <output key={words} className="block border-t border-line px-4 py-2 text-[13px] text-good">
          {words}
        </output>
      ))}
      <ul>
        {models.map(({ row, state }) => (
          <li key={`${state} ${row.value}`} className="border-t border-line">
            <ModelLine
              row={row}
              state={state}
              open={open === row.value ? 'open' : 'closed'}
              onToggle={() => setOpen(open === row.value ? null : row.value)}
            />
            {open === row.value && <RepricePanel model={row.value} onDone={finish} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

type ModelLineProps = {
  readonly row: UnpricedModel;
  readonly state: 'unpriced' | 'incomplete';
  readonly open: 'open' | 'closed';
  readonly onToggle: () => void;
};

function ModelLine({ row, state, open, onToggle }: ModelLineProps) {
  const mayReprice = useRight('money.write');
  const tokens = row.total_input_tokens + row.total_output_tokens;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 text-[13px]">
      <span className="min-w-0 flex-1 basis-48">
        <Link
          to="/ui/requests"
          search={(previous) => ({ ...parseSearch(previous), model: row.value, cost_state: state, page: 1, call: '' })}
          className="font-medium decoration-line-strong underline-offset-4 hover:underline"
        >
          {row.value}
        </Link>
        {typeof row.provider === 'string' && <span className="ml-2 text-ink-3">{row.provider}</span>}
      </span>
      {state === 'incomplete' && <Badge tone="warn">a part has no price</Badge>}
      <span className="figures text-ink-2">
        {plural(row.total_events, 'request')}, {formatCompact(tokens)} tokens
      </span>
      {mayReprice && (
        <Button aria-expanded={open === 'open'} onClick={onToggle}>
          {open === 'open' ? 'Close' : 'Reprice…'}
        </Button>
      )}
    </div>
  );
}
