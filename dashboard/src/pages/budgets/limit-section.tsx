import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { deleteLimit, limitsQuery, makeLimit, MEASURES, type Limit } from '../../api/budgets.ts';
import { useKeyNames } from '../../api/keys.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Choice, Labelled, TextField } from './field.tsx';
import { limitWords, scopeWords } from './rule-words.ts';
import { ALL_CALLS, toScope, type ScopeLine } from './scope-fields.ts';
import { ScopeField } from './scope-field.tsx';

/** Rate limits: how fast, not how much. */
export function LimitSection({ may }: { readonly may: 'read' | 'write' }) {
  const limits = useQuery(limitsQuery);
  const [making, setMaking] = useState<'no' | 'yes'>('no');
  const { data, error } = limits;
  return (
    <section aria-labelledby="limits-heading" className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <h2 id="limits-heading" className="mr-auto text-[13px] font-semibold">
          Limits
          <span className="ml-2 font-normal text-ink-3">how fast calls may come</span>
        </h2>
        {may === 'write' && <Button onClick={() => setMaking(making === 'no' ? 'yes' : 'no')}>New limit</Button>}
      </div>
      {making === 'yes' && <LimitForm onDone={() => setMaking('no')} />}
      {error !== null && data === undefined && (
        <div className="px-4 pb-4">
          <Problem title="The limits could not be read" error={error} onRetry={() => void limits.refetch()} />
        </div>
      )}
      {error === null && data === undefined && <Skeleton className="mx-4 mb-4 h-10" />}
      {data?.length === 0 && making === 'no' && (
        <p className="border-t border-line px-4 py-3 text-[13px] text-ink-2">
          None: calls come as fast as they like. A limit counts requests, tokens or dollars over a time, or calls at
          once.
        </p>
      )}
      <ul>
        {(data ?? []).map((limit) => (
          <LimitRow key={limit.id} limit={limit} may={may} />
        ))}
      </ul>
    </section>
  );
}

type LimitRowProps = { readonly limit: Limit; readonly may: 'read' | 'write' };

function LimitRow({ limit, may }: LimitRowProps) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteLimit(limit.id),
    onSettled: () => queryClient.invalidateQueries(limitsQuery),
  });
  const { origin } = limit;
  const keyName = useKeyNames();
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-[13px]">
      <span className="min-w-0 flex-1 basis-56">
        <span className="font-medium">{limit.name}</span>{' '}
        {origin !== null && <Badge title={`It belongs to ${origin.kind} ${origin.id}`}>of a {origin.kind}</Badge>}
        {origin === null && <span className="block text-xs text-ink-3">{scopeWords(limit.scope, keyName)}</span>}
      </span>
      <span className="text-ink-2 tabular-nums">{limitWords(limit)}</span>
      {may === 'write' && origin === null && (
        <Button look="quiet" aria-label={`Delete ${limit.name}`} onClick={() => remove.mutate()}>
          Delete
        </Button>
      )}
      {remove.error !== null && (
        <p role="alert" className="w-full text-bad">
          {remove.error.message}
        </p>
      )}
    </li>
  );
}

const MEASURE_OPTIONS = MEASURES.map((measure) => [measure, measureLabel(measure)] as const);

function measureLabel(measure: Limit['measure']): string {
  return measure === 'usd' ? 'dollars' : measure === 'parallel' ? 'calls at once' : measure;
}

const TIMES = [
  ['minute', 'a minute'],
  ['hour', 'an hour'],
  ['day', 'a day'],
  ['month', 'a month'],
] as const;

type Time = (typeof TIMES)[number][0];

function LimitForm({ onDone }: { readonly onDone: () => void }) {
  const queryClient = useQueryClient();
  const [lines, setLines] = useState<readonly ScopeLine[]>([{ ...ALL_CALLS, subject: 'key.id', which: 'each' }]);
  const [amount, setAmount] = useState('');
  const [measure, setMeasure] = useState<Limit['measure']>('requests');
  const [per, setPer] = useState<Time>('minute');
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () =>
      makeLimit({
        ...(name.trim() === '' ? {} : { name: name.trim() }),
        scope: toScope(lines),
        measure,
        amount: amount.trim(),
        ...(measure === 'parallel' ? {} : { per }),
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries(limitsQuery);
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form aria-label="New limit" onSubmit={submit} className="space-y-3 border-t border-line bg-sunken/50 px-4 py-3">
      <ScopeField lines={lines} onChange={setLines} />
      <div className="flex flex-wrap items-end gap-3">
        <Labelled label="At most">
          <TextField
            required
            inputMode="decimal"
            value={amount}
            onChange={(event) => setAmount(event.target.value)}
            placeholder="60"
            className="w-24"
          />
        </Labelled>
        <Labelled label="Of">
          <Choice value={measure} options={MEASURE_OPTIONS} onPick={setMeasure} />
        </Labelled>
        {measure !== 'parallel' && (
          <Labelled label="In">
            <Choice value={per} options={TIMES} onPick={setPer} />
          </Labelled>
        )}
        <Labelled label="Name">
          <TextField
            value={name}
            onChange={(event) => setName(event.target.value)}
            placeholder="made of the above"
            className="w-44"
          />
        </Labelled>
        <div className="ml-auto flex gap-2">
          <Button look="quiet" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" look="primary" disabled={make.isPending}>
            Make the limit
          </Button>
        </div>
      </div>
      {make.error !== null && (
        <p role="alert" className="text-[13px] text-bad">
          {make.error.message}
        </p>
      )}
    </form>
  );
}
