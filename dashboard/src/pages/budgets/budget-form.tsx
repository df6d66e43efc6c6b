import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { budgetsQuery, saveBudget, type Budget, type BudgetFields } from '../../api/budgets.ts';
import { Button } from '../../ui/button.tsx';
import { Choice, Labelled, TextField } from './field.tsx';
import { ALL_CALLS, toLines, toScope, type ScopeLine } from './scope-fields.ts';
import { ScopeField } from './scope-field.tsx';

const WINDOWS = [
  ['hour', 'an hour'],
  ['day', 'a day'],
  ['week', 'a week'],
  ['month', 'a month'],
  ['year', 'a year'],
  ['total', 'in all'],
] as const;

const MODES = [
  ['standard', 'Standard: holds the expected cost'],
  ['strict', 'Strict: holds the most it can cost'],
  ['observe', 'Observe: refuses nothing'],
] as const;

const ACTIONS = [
  ['block', 'refuse the call'],
  ['warn', 'let it pass and warn'],
  ['downgrade', 'use a cheaper model'],
] as const;

const COUNTS = [
  ['declared', 'as callers send them'],
  ['proven', 'locks and defaults of keys'],
  ['locked', 'locked ones only'],
] as const;

type BudgetFormProps = { readonly budget: Budget | null; readonly onDone: () => void };

/** Makes a budget, or changes one. What was spent stays counted. */
export function BudgetForm({ budget, onDone }: BudgetFormProps) {
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => draftOf(budget));
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const save = useMutation({
    mutationFn: () => saveBudget(budget?.id ?? null, fieldsOf(draft, budget)),
    onSuccess: async () => {
      await queryClient.invalidateQueries(budgetsQuery);
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form
      aria-label={budget === null ? 'New budget' : `Change ${budget.name}`}
      onSubmit={submit}
      className="space-y-3 border-t border-line bg-sunken/50 px-4 py-3"
    >
      {draft.lines !== null && <ScopeField lines={draft.lines} onChange={(lines) => change({ lines })} />}
      <div className="flex flex-wrap items-end gap-3">
        <Labelled label="Limit in US dollars">
          <TextField
            required
            inputMode="decimal"
            pattern="\d{1,12}(\.\d{1,12})?"
            title="Dollars, such as 100 or 12.50"
            value={draft.limit}
            onChange={(event) => change({ limit: event.target.value })}
            placeholder="100"
            className="w-28"
          />
        </Labelled>
        {draft.window !== null && (
          <Labelled label="Over">
            <Choice value={draft.window} options={WINDOWS} onPick={(window) => change({ window })} />
          </Labelled>
        )}
        {draft.window !== null && draft.window !== 'total' && (
          <Labelled label="Time zone">
            <TextField value={draft.zone} onChange={(event) => change({ zone: event.target.value })} className="w-36" />
          </Labelled>
        )}
        <Labelled label="Mode">
          <Choice value={draft.mode} options={MODES} onPick={(mode) => change({ mode })} />
        </Labelled>
        {draft.mode !== 'observe' && (
          <Labelled label="When it is used up">
            <Choice value={draft.action} options={ACTIONS} onPick={(action) => change({ action })} />
          </Labelled>
        )}
        {draft.mode !== 'observe' && draft.action === 'downgrade' && (
          <Labelled label="Cheaper model">
            <TextField
              required
              value={draft.model}
              onChange={(event) => change({ model: event.target.value })}
              placeholder="gpt-5-mini"
              className="w-36"
            />
          </Labelled>
        )}
        {draft.lines?.some(({ subject }) => subject === 'tags') === true && (
          <Labelled label="Tags count">
            <Choice value={draft.counts} options={COUNTS} onPick={(counts) => change({ counts })} />
          </Labelled>
        )}
        <Labelled label="Name">
          <TextField
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
            placeholder="made of the above"
            className="w-44"
          />
        </Labelled>
        <div className="ml-auto flex gap-2">
          <Button look="quiet" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" look="primary" disabled={save.isPending}>
            {budget === null ? 'Make the budget' : 'Save'}
          </Button>
        </div>
      </div>
      {save.error !== null && (
        <p role="alert" className="text-[13px] text-bad">
          {save.error.message}
        </p>
      )}
    </form>
  );
}

type Draft = {
  readonly name: string;
  /** Null: the form cannot say it, and leaves it. */
  readonly lines: readonly ScopeLine[] | null;
  readonly limit: string;
  /** Null: the form cannot say it, and leaves it. */
  readonly window: (typeof WINDOWS)[number][0] | null;
  readonly zone: string;
  readonly mode: Budget['mode'];
  readonly action: (typeof ACTIONS)[number][0];
  readonly model: string;
  readonly counts: Budget['counts'];
};

function draftOf(budget: Budget | null): Draft {
  if (budget === null) {
    const plain = { name: '', lines: [ALL_CALLS], limit: '', window: 'month', zone: 'UTC', model: '' } as const;
    return { ...plain, mode: 'standard', action: 'block', counts: 'declared' };
  }
  const { action, window } = budget;
  const isPlain = Object.entries(window).every(
    ([name, value]) => name === 'kind' || name === 'timezone' || value === 1,
  );
  return {
    name: budget.name,
    lines: toLines(budget.scope),
    limit: budget.limit_usd,
    window: isPlain ? (WINDOWS.find(([kind]) => kind === window.kind)?.[0] ?? null) : null,
    zone: window.timezone ?? 'UTC',
    mode: budget.mode,
    action: typeof action === 'string' ? action : 'downgrade',
    model: typeof action === 'string' ? '' : action.downgrade_to,
    counts: budget.counts,
  };
}

function fieldsOf(draft: Draft, budget: Budget | null): BudgetFields {
  const { window, zone, mode, counts } = draft;
  const name = draft.name.trim();
  const kind = window ?? 'total';
  return {
    ...(name === '' ? {} : { name }),
    scope: draft.lines === null ? (budget?.scope ?? {}) : toScope(draft.lines),
    counts,
    limit_usd: draft.limit.trim(),
    window:
      window === null ? (budget?.window ?? { kind }) : kind === 'total' ? { kind } : { kind, timezone: zone.trim() },
    mode,
    action:
      mode === 'observe' ? 'block' : draft.action === 'downgrade' ? { downgrade_to: draft.model.trim() } : draft.action,
  };
}
