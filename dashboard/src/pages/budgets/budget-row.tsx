import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { budgetsQuery, deleteBudget, endRaise, type Budget } from '../../api/budgets.ts';
import { useKeyNames } from '../../api/keys.ts';
import { formatMoney } from '../../money/money.ts';
import { plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { nowMs } from '../../time/clock.ts';
import { minuteIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { BudgetBar } from './budget-bar.tsx';
import { BudgetForm } from './budget-form.tsx';
import { Instances } from './instances.tsx';
import { RaiseForm } from './raise-form.tsx';
import { actionWords, hasInstances, scopeWords, windowWords } from './rule-words.ts';

type Open = 'nothing' | 'form' | 'raise' | 'instances' | 'delete';

type BudgetRowProps = { readonly budget: Budget; readonly may: 'read' | 'write' };

export function BudgetRow({ budget, may }: BudgetRowProps) {
  const [search] = useSearchState();
  const [open, setOpen] = useState<Open>('nothing');
  const toggle = (what: Open): void => setOpen(open === what ? 'nothing' : what);
  const close = (): void => setOpen('nothing');
  const { standing } = budget;
  const many = hasInstances(budget);
  const keyName = useKeyNames();
  return (
    <li className="border-t border-line">
      <div className="grid gap-x-6 gap-y-2 px-4 py-3 md:grid-cols-[minmax(0,5fr)_minmax(0,6fr)_13rem] md:items-start">
        <div className="min-w-0">
          <p className="text-[13px] font-medium">
            {budget.name} <Marks budget={budget} zone={search.tz} />
          </p>
          <p className="mt-0.5 text-xs text-ink-3">
            {budget.origin === null && `${scopeWords(budget.scope, keyName)}: `}
            {formatMoney(budget.limit_usd)} {windowWords(budget.window)},{' '}
            {budget.mode === 'observe' ? 'only watched' : actionWords(budget.action)}
          </p>
        </div>
        <div className="min-w-0">
          {many && <InstanceCount budget={budget} open={open} onOpen={() => toggle('instances')} />}
          {!many && standing !== null && <BudgetBar standing={standing} label={budget.name} zone={search.tz} />}
          {!many && standing === null && <Unspent budget={budget} />}
        </div>
        {may === 'write' && <Actions budget={budget} onPick={toggle} />}
      </div>
      {open === 'form' && <BudgetForm budget={budget} onDone={close} />}
      {open === 'raise' && <RaiseForm budget={budget} onDone={close} />}
      {open === 'instances' && <Instances budget={budget} />}
      {open === 'delete' && <DeleteForm budget={budget} onDone={close} />}
    </li>
  );
}

function Marks({ budget, zone }: { readonly budget: Budget; readonly zone: string }) {
  const { raise, origin, mode, exceeded_instances: exceeded } = budget;
  return (
    <>
      {(exceeded ?? 0) > 0 && <Badge tone="bad">exceeded</Badge>}{' '}
      {raise !== null && (
        <Badge tone="warn" title={`until ${minuteIn(zone, Date.parse(raise.until))}`}>
          raised by {formatMoney(raise.by_usd)}
        </Badge>
      )}{' '}
      {mode !== 'standard' && <Badge>{mode}</Badge>}{' '}
      {origin !== null && <Badge title={`It belongs to ${origin.kind} ${origin.id}`}>of a {origin.kind}</Badge>}
    </>
  );
}

type InstanceCountProps = { readonly budget: Budget; readonly open: Open; readonly onOpen: () => void };

function InstanceCount({ budget, open, onOpen }: InstanceCountProps) {
  const { instances, exceeded_instances: exceeded } = budget;
  if (instances === null) return <p className="text-[13px] text-ink-2">Not known at the moment.</p>;
  if (instances === 0) return <Unspent budget={budget} />;
  return (
    <button
      type="button"
      aria-expanded={open === 'instances'}
      aria-label={`Instances of ${budget.name}`}
      onClick={onOpen}
      className="flex items-center gap-1.5 text-[13px] text-ink-2 hover:text-ink"
    >
      <ChevronRight
        aria-hidden
        className={`size-3.5 transition-transform ${open === 'instances' ? 'rotate-90' : ''}`}
      />
      {plural(instances, 'instance')}
      {(exceeded ?? 0) > 0 && <span className="font-medium text-bad">{exceeded} exceeded</span>}
      {budget.standing !== null && (exceeded ?? 0) === 0 && (
        <span className="text-ink-3">the fullest at {budget.standing.used_percent ?? 0}%</span>
      )}
    </button>
  );
}

function Unspent({ budget }: { readonly budget: Budget }) {
  const [{ tz }] = useSearchState();
  return <p className="text-[13px] text-ink-2">{unspentWords(budget, tz)}</p>;
}

function unspentWords({ instances, effective_from: from, effective_to: to }: Budget, zone: string): string {
  if (from !== null && Date.parse(from) > nowMs()) return `In force from ${minuteIn(zone, Date.parse(from))}.`;
  if (to !== null && Date.parse(to) <= nowMs()) return `Not in force since ${minuteIn(zone, Date.parse(to))}.`;
  return instances === null ? 'Not known at the moment.' : 'Nothing spent in this window yet.';
}

type ActionsProps = { readonly budget: Budget; readonly onPick: (open: Open) => void };

/** A budget of a key or a team is changed where it was set. */
function Actions({ budget, onPick }: ActionsProps) {
  const queryClient = useQueryClient();
  const lower = useMutation({
    mutationFn: () => endRaise(budget.id),
    onSettled: () => queryClient.invalidateQueries(budgetsQuery),
  });
  const own = budget.origin === null;
  return (
    <div className="-mr-2 flex md:justify-end">
      {budget.raise === null ? (
        <Button look="quiet" aria-label={`Raise ${budget.name}`} onClick={() => onPick('raise')}>
          Raise
        </Button>
      ) : (
        <Button look="quiet" aria-label={`End the raise of ${budget.name}`} onClick={() => lower.mutate()}>
          End raise
        </Button>
      )}
      {own && (
        <Button look="quiet" aria-label={`Change ${budget.name}`} onClick={() => onPick('form')}>
          Change
        </Button>
      )}
      {own && (
        <Button look="quiet" aria-label={`Delete ${budget.name}`} onClick={() => onPick('delete')}>
          Delete
        </Button>
      )}
    </div>
  );
}

type DeleteFormProps = { readonly budget: Budget; readonly onDone: () => void };

function DeleteForm({ budget, onDone }: DeleteFormProps) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteBudget(budget.id),
    onSuccess: () => queryClient.invalidateQueries(budgetsQuery),
  });
  return (
    <div className="flex flex-wrap items-center gap-2 border-t border-line bg-sunken/50 px-4 py-2.5 text-[13px]">
      <span className="mr-auto text-ink-2">
        {remove.error === null ? 'Nothing will be held back by it any more.' : remove.error.message}
      </span>
      <Button look="quiet" onClick={onDone}>
        Keep it
      </Button>
      <Button disabled={remove.isPending} onClick={() => remove.mutate()} aria-label={`Really delete ${budget.name}`}>
        Delete it
      </Button>
    </div>
  );
}
