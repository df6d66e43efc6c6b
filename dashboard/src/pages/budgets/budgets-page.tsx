import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { budgetsQuery, type Budget } from '../../api/budgets.ts';
import { useRight } from '../../api/session.ts';
import { PageHeader } from '../../shell/page-header.tsx';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { BudgetForm } from './budget-form.tsx';
import { BudgetRow } from './budget-row.tsx';
import { LimitSection } from './limit-section.tsx';

/** How much may be spent, how much is, and how fast calls may come. */
export function BudgetsPage() {
  const budgets = useQuery(budgetsQuery);
  const may = useRight('budgets.write') ? 'write' : 'read';
  const [making, setMaking] = useState<'no' | 'yes'>('no');
  const { data, error } = budgets;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        title="Budgets"
        freshness="A call needs room in every budget it falls in; what was spent is what the ledger says"
        period="whole"
      />
      <section aria-labelledby="budgets-heading" className="rounded-lg border border-line bg-surface shadow-card">
        <div className="flex flex-wrap items-center gap-2 px-4 py-3">
          <h2 id="budgets-heading" className="mr-auto text-[13px] font-semibold">
            Budgets
            <span className="ml-2 font-normal text-ink-3">how much calls may cost</span>
          </h2>
          {may === 'write' && (
            <Button look="primary" onClick={() => setMaking(making === 'no' ? 'yes' : 'no')}>
              New budget
            </Button>
          )}
        </div>
        {making === 'yes' && <BudgetForm budget={null} onDone={() => setMaking('no')} />}
        {error !== null && data === undefined && (
          <div className="px-4 pb-4">
            <Problem title="The budgets could not be read" error={error} onRetry={() => void budgets.refetch()} />
          </div>
        )}
        {error === null && data === undefined && <Skeleton className="mx-4 mb-4 h-24" />}
        {data?.length === 0 && making === 'no' && (
          <p className="border-t border-line px-4 py-4 text-[13px] text-ink-2">
            None yet: nothing holds spending back. Begin with one for all calls, for a team, or for each customer.
          </p>
        )}
        <ul>
          {(data ?? []).toSorted(fullestFirst).map((budget) => (
            <BudgetRow key={budget.id} budget={budget} may={may} />
          ))}
        </ul>
      </section>
      <LimitSection may={may} />
    </div>
  );
}

function fullestFirst(left: Budget, right: Budget): number {
  return (right.standing?.used_percent ?? 0) - (left.standing?.used_percent ?? 0);
}
