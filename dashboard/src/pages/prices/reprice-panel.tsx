import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { reprice, type Repricing } from '../../api/prices.ts';
import { formatExactMoney } from '../../money/money.ts';
import { plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { describeRange } from '../../time/period.ts';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';

type RepricePanelProps = {
  readonly model: string;
  /** Told what was recorded, in a sentence. */
  readonly onDone: (words: string) => void;
};

/** What the prices of today would make of a model's calls, and the button that records it. */
export function RepricePanel({ model, onDone }: RepricePanelProps) {
  const [search] = useSearchState();
  const queryClient = useQueryClient();
  const preview = useQuery({
    queryKey: ['reprice', search.range, search.from, search.to, search.tz, model],
    queryFn: () => reprice(search, { mode: 'preview', model, reason: '' }),
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const apply = useMutation({
    mutationFn: (reason: string) => reprice(search, { mode: 'apply', model, reason }),
    onSuccess: (done) => {
      onDone(`${model}: ${plural(done.applied, 'correction')} recorded, ${changeWords(done)}.`);
      return queryClient.invalidateQueries();
    },
  });
  const problem = apply.error ?? preview.error;
  return (
    <div className="space-y-3 px-4 pb-3 text-[13px]">
      {problem !== null && (
        <Problem
          title="The calls could not be priced anew"
          error={problem}
          onRetry={() => void (apply.error === null ? preview.refetch() : apply.reset())}
        />
      )}
      {problem === null && preview.data === undefined && <Skeleton className="h-5 w-72" />}
      {problem === null && preview.data !== undefined && (
        <>
          <p className="text-ink-2">{previewWords(preview.data, describeRange(search))}</p>
          {preview.data.changed > 0 && (
            <ApplyForm state={apply.isPending ? 'running' : 'ready'} onApply={(reason) => apply.mutate(reason)} />
          )}
        </>
      )}
    </div>
  );
}

type ApplyFormProps = { readonly state: 'ready' | 'running'; readonly onApply: (reason: string) => void };

function ApplyForm({ state, onApply }: ApplyFormProps) {
  const [reason, setReason] = useState('');
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason.trim() !== '') onApply(reason.trim());
  };
  return (
    <form onSubmit={submit} className="flex flex-wrap items-center gap-2">
      <label htmlFor={id} className="text-ink-2">
        Reason
      </label>
      <input
        id={id}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
        placeholder="for the audit log"
        autoComplete="off"
        maxLength={1000}
        className="h-8 min-w-0 flex-1 basis-48 rounded-md border border-line-strong bg-surface px-2.5 shadow-card placeholder:text-ink-3 sm:max-w-96"
      />
      <Button type="submit" look="primary" disabled={reason.trim() === '' || state === 'running'}>
        {state === 'running' ? 'Recording…' : 'Record corrections'}
      </Button>
    </form>
  );
}

function previewWords(preview: Repricing, range: string): string {
  if (preview.examined === 0) return `No call of the period (${range}) is without a price any more.`;
  if (preview.changed === 0) return 'There is still no price for it: say one first, then price the calls anew.';
  const left = preview.examined - preview.changed;
  const rest = left === 0 ? '' : ` ${plural(left, 'call')} would stay as ${left === 1 ? 'it is' : 'they are'}.`;
  return `${plural(preview.changed, 'call')} would be priced: ${changeWords(preview)}.${rest} No entry changes: each gets a correction.`;
}

function changeWords({ old_cost_exact: before, new_cost_exact: after, delta_exact: delta }: Repricing): string {
  const sign = delta.startsWith('-') ? '' : '+';
  return `${formatExactMoney(before)} becomes ${formatExactMoney(after)} (${sign}${formatExactMoney(delta)})`;
}
