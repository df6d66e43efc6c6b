import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import { resolveCall } from '../../api/resolutions.ts';
import type { CallDetail } from '../../api/events.ts';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';

const AMOUNT = /^\d{1,12}(\.\d{1,12})?$/;

/** Ends a doubt: what the provider's bill says the call cost, and why that is known. */
export function ResolveForm({ call }: { readonly call: CallDetail }) {
  const [cost, setCost] = useState('');
  const [reason, setReason] = useState('');
  const id = useId();
  const queryClient = useQueryClient();
  const resolve = useMutation({
    mutationFn: () =>
      resolveCall({ entryId: call.entry_id, costUsd: cost.trim().replace(/^\$/, ''), reason: reason.trim() }),
    onSuccess: () => queryClient.invalidateQueries(),
  });
  const ready = AMOUNT.test(cost.trim().replace(/^\$/, '')) && reason.trim() !== '' && !resolve.isPending;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (ready) resolve.mutate();
  };
  return (
    <section aria-labelledby={`${id}-title`} className="rounded-lg border border-line bg-sunken p-3">
      <h3 id={`${id}-title`} className="text-xs font-semibold text-ink-2">
        Resolve
      </h3>
      <p className="mt-1 text-[13px] text-ink-2">
        If the provider’s bill or usage log has this call, say what it cost; 0 if it was not billed. The entry stays as
        it is: a correction is recorded beside it.
      </p>
      <form onSubmit={submit} className="mt-2 flex flex-wrap items-end gap-2 text-[13px]">
        <Field id={`${id}-cost`} label="Cost in USD" width="basis-28">
          <input
            id={`${id}-cost`}
            value={cost}
            onChange={(event) => setCost(event.target.value)}
            placeholder="0.0123"
            inputMode="decimal"
            autoComplete="off"
            className={INPUT}
          />
        </Field>
        <Field id={`${id}-reason`} label="Reason" width="flex-1 basis-48">
          <input
            id={`${id}-reason`}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            placeholder="for the audit log"
            autoComplete="off"
            maxLength={1000}
            className={INPUT}
          />
        </Field>
        <Button type="submit" look="primary" disabled={!ready}>
          {resolve.isPending ? 'Recording…' : 'Record cost'}
        </Button>
      </form>
      {resolve.error !== null && (
        <div className="mt-3">
          <Problem title="The cost could not be recorded" error={resolve.error} onRetry={() => resolve.mutate()} />
        </div>
      )}
    </section>
  );
}

const INPUT =
  'h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 shadow-card placeholder:text-ink-3 tabular-nums';

type FieldProps = {
  readonly id: string;
  readonly label: string;
  readonly width: string;
  readonly children: ReactNode;
};

function Field({ id, label, width, children }: FieldProps) {
  return (
    <div className={`min-w-0 ${width}`}>
      <label htmlFor={id} className="mb-1 block text-xs text-ink-3">
        {label}
      </label>
      {children}
    </div>
  );
}
