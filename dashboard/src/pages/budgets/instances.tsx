import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { standingsQuery, type Budget } from '../../api/budgets.ts';
import { useKeyNames } from '../../api/keys.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import { BudgetBar } from './budget-bar.tsx';
import { TextField } from './field.tsx';

/** Each instance of a budget, the most used first. */
export function Instances({ budget }: { readonly budget: Budget }) {
  const [search] = useSearchState();
  const keyName = useKeyNames();
  const [wanted, setWanted] = useState('');
  const { data, error } = useQuery(standingsQuery(budget.id, wanted.trim()));
  return (
    <div className="space-y-2 border-t border-line bg-sunken/50 px-4 py-3">
      <TextField
        aria-label={`Find an instance of ${budget.name}`}
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
        placeholder="Find one by its exact value"
        className="w-60"
      />
      {error !== null && (
        <p role="alert" className="text-[13px] text-bad">
          {error.message}
        </p>
      )}
      {error === null && data === undefined && <Skeleton className="h-10" />}
      {data?.length === 0 && (
        <p className="text-[13px] text-ink-2">
          {wanted.trim() === '' ? 'None has spent anything in this window.' : 'It has spent nothing in this window.'}
        </p>
      )}
      <ul className="grid gap-x-8 gap-y-3 md:grid-cols-2">
        {(data ?? []).map((standing) => {
          const name = Object.values(standing.instance).map(keyName).join(', ');
          return (
            <li key={name}>
              <span className="block truncate text-[13px] font-medium">{name}</span>
              <BudgetBar standing={standing} label={`${budget.name}: ${name}`} zone={search.tz} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
