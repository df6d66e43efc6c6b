import { type TimestampMs } from '#std';
import { picoUsd, PICO_PER_USD, type PicoUsd, type Provenance } from '#terms';
import { type Reserve } from './admission.ts';
import { type Budget } from './budget.ts';
import { type ScopedCall } from './scope.ts';

export const NOON = Date.parse('2026-11-21T12:00:00Z') as TimestampMs;

export const HOUR = 3_600_000;

export const DAY = 24 * HOUR;

export function after(ms: number, start: TimestampMs = NOON): TimestampMs {
  return (start + ms) as TimestampMs;
}

export function usd(dollars: number): PicoUsd {
  return picoUsd((BigInt(Math.round(dollars * 1e6)) * PICO_PER_USD) / 1_000_000n);
}

/** A strict budget of ten dollars a day for everything. */
export function budget(given: Partial<Budget> = {}): Budget {
  return {
    id: 'b1',
    name: 'Ten dollars a day',
    scope: [],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
    limit: usd(10),
    window: { kind: 'day', count: 1, zone: 'UTC' },
    mode: 'strict',
    action: { kind: 'block' },
    thresholds: [],
    raise: null,
    outage: 'spend_lease',
    ...given,
  };
}

type CallGiven = Partial<Omit<ScopedCall, 'tags'>> & {
  readonly tags?: Readonly<Record<string, string>>;
  readonly provenance?: Provenance;
  readonly labels?: readonly string[];
  readonly paths?: readonly string[];
};

export function call({
  tags = {},
  provenance = 'declared',
  labels = [],
  paths = [],
  ...given
}: CallGiven = {}): ScopedCall {
  return {
    key: 'key_1',
    team: 'growth',
    owner: '',
    model: 'gpt-5',
    provider: 'openai',
    route: '',
    ...given,
    tags: {
      dimensions: new Map(Object.entries(tags).map(([key, value]) => [key, { value, provenance }])),
      labels,
      paths,
    },
  };
}

let made = 0;

/** A call that costs a dollar at most, and half of it probably. */
export function wanted(given: Partial<Reserve> = {}): Reserve {
  made += 1;
  return { id: `call_${made}.1`, call: call(), bound: usd(1), expected: usd(0.5), at: NOON, ...given };
}
