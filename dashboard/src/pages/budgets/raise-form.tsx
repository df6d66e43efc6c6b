import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { budgetsQuery, raiseBudget, type Budget } from '../../api/budgets.ts';
import { Button } from '../../ui/button.tsx';
import { Choice, Labelled, TextField } from './field.tsx';

const TIMES = [
  ['1h', 'an hour'],
  ['24h', 'a day'],
  ['7d', 'a week'],
  ['30d', '30 days'],
] as const;

type RaiseFormProps = { readonly budget: Budget; readonly onDone: () => void };

/** More for a while; it ends by itself. */
export function RaiseForm({ budget, onDone }: RaiseFormProps) {
  const queryClient = useQueryClient();
  const [by, setBy] = useState('');
  const [duration, setDuration] = useState<(typeof TIMES)[number][0]>('24h');
  const [reason, setReason] = useState('');
  const raise = useMutation({
    mutationFn: () =>
      raiseBudget(budget.id, {
        by_usd: by.trim(),
        duration,
        ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries(budgetsQuery);
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    raise.mutate();
  };
  return (
    <form
      aria-label={`Raise ${budget.name}`}
      onSubmit={submit}
      className="flex flex-wrap items-end gap-3 border-t border-line bg-sunken/50 px-4 py-3"
    >
      <Labelled label="Raise by US dollars">
        <TextField
          required
          inputMode="decimal"
          value={by}
          onChange={(event) => setBy(event.target.value)}
          placeholder="50"
          className="w-28"
        />
      </Labelled>
      <Labelled label="For">
        <Choice value={duration} options={TIMES} onPick={setDuration} />
      </Labelled>
      <Labelled label="Reason">
        <TextField
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          placeholder="for the audit log"
          className="w-64"
        />
      </Labelled>
      <div className="ml-auto flex gap-2">
        <Button look="quiet" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" look="primary" disabled={raise.isPending}>
          Raise
        </Button>
      </div>
      {raise.error !== null && (
        <p role="alert" className="w-full text-[13px] text-bad">
          {raise.error.message}
        </p>
      )}
    </form>
  );
}
