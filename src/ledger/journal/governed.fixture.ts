import { readEntries } from './entry-reader.ts';
import { readEntryFacts } from './entry-facts.ts';
import { closeEntry, openEntry, type AttemptStart } from '../entry.ts';
import { systemClock, type TimestampMs } from '#std';
import { makeCallId, picoUsd, type PicoUsd, type RatedCost } from '#terms';
import type { Budget, RateLimit, ScopedCall } from '#budgets';
import type { Rules } from './counters.ts';

/** Material for tests of rules in force: attempts with a price, and budgets over them. */
export type Priced = {
  readonly attempt: string;
  readonly callId: string;
  readonly intent: string;
  readonly ended: (cost: bigint | null, state?: RatedCost['state']) => string;
};

let made = 0;

type Given = { readonly call?: Partial<ScopedCall>; readonly at?: TimestampMs; readonly bound?: bigint | null };

export function priced({ call = {}, at = systemClock.now(), bound = 10n }: Given = {}): Priced {
  made += 1;
  const callId = makeCallId(at, Buffer.from(String(made).padStart(10, '0')));
  const start: AttemptStart = {
    callId,
    attempt: 1,
    startedAt: at,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: call.key ?? 'key_1', name: 'one', team: call.team ?? 'growth', owner: call.owner ?? '' },
    tags: {
      dimensions: call.tags?.dimensions ?? new Map(),
      labels: call.tags?.labels ?? [],
      paths: call.tags?.paths ?? [],
      entity: null,
      sessionId: null,
      sessionPath: null,
      traceId: null,
      conflicts: [],
      overflow: new Map(),
      sent: [],
      warnings: [],
    },
    requestModel: 'gpt-5',
    route: call.route ?? '',
    provider: call.provider ?? 'openai',
    priceAs: 'openai',
    region: '',
    model: call.model ?? 'gpt-5',
    reserved: bound === null ? null : picoUsd(bound),
  };
  const intent = openEntry(start);
  return { attempt: `${callId}.1`, callId, intent, ended: (cost, state) => ended({ start, intent, cost, state }) };
}

type Ended = {
  readonly start: AttemptStart;
  readonly intent: string;
  readonly cost: bigint | null;
  readonly state: RatedCost['state'] | undefined;
};

function ended({ start, intent, cost, state = cost === null ? 'in_doubt' : 'exact' }: Ended): string {
  const amount = cost === null ? null : picoUsd(cost);
  return closeEntry(intent, start, {
    endedAt: start.startedAt,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: '',
    last: true,
    responseModel: '',
    latencyMs: 1,
    firstByteMs: null,
    usage: null,
    rated: {
      cost: amount,
      listCost: amount,
      billed: amount,
      computedCost: amount,
      state,
      charges: [],
      unpricedMeters: [],
      terms: [],
    },
    priceBook: '',
  });
}

export function budgetOf(given: Partial<Budget> = {}): Budget {
  return {
    id: 'b1',
    name: 'Hundred in all',
    scope: [],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
    limit: picoUsd(100n),
    window: { kind: 'total' },
    mode: 'strict',
    action: { kind: 'block' },
    thresholds: [],
    raise: null,
    outage: 'spend_lease',
    ...given,
  };
}

export function rulesOf(budgets: readonly Budget[], limits: readonly RateLimit[] = []): Rules {
  return { budgets: budgets.map((budget) => ({ budget, since: null })), limits };
}

export const WISH = { expected: picoUsd(5n), takes: null };

/** What the journal's entries add up to: known costs, and the most that entries without one can have cost. */
export function sumOf(
  dir: string,
  counts: (call: ScopedCall) => boolean = () => true,
): { spent: bigint; atRisk: bigint } {
  const doubts = new Map<string, PicoUsd>();
  let spent = 0n;
  for (const { body } of readEntries(dir, { through: Number.MAX_SAFE_INTEGER })) {
    const { attempt, kind, call, cost, reserved } = readEntryFacts(body.toString());
    if (!counts(call)) continue;
    if (cost !== null) {
      spent += cost;
      doubts.delete(attempt);
    } else if (kind === 'attempt' && reserved !== null) {
      doubts.set(attempt, reserved);
    }
  }
  return { spent, atRisk: [...doubts.values()].reduce((sum, one) => sum + one, 0n) };
}
