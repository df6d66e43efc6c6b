import { formatUsd, picoUsd, sumUsd, usdNumber, type PicoUsd } from '#terms';

/** A call as the canned gateway knows it; money in pico-dollars, null where the cost is not known. */
export type CannedCall = {
  readonly id: string;
  readonly atMs: number;
  readonly model: string;
  readonly provider: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: PicoUsd | null;
  readonly costState: string;
  readonly atRisk: PicoUsd | null;
  readonly latencyMs: number;
  readonly entity: { readonly type: string; readonly id: string } | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  readonly keyName: string;
  readonly status: string;
};

/** The moment the canned ledger ends, and the browser's clock stands still at. */
export const NOW = '2026-11-17T10:00:00.000Z';

const HOUR_MS = 3_600_000;

/** Public prices in pico-dollars per token: input, output. */
const MODELS = [
  { model: 'gpt-4o', provider: 'openai', input: 2_500_000n, output: 10_000_000n, weight: 5 },
  { model: 'gpt-4o-mini', provider: 'openai', input: 150_000n, output: 600_000n, weight: 9 },
  { model: 'o3', provider: 'openai', input: 2_000_000n, output: 8_000_000n, weight: 3 },
  { model: 'claude-sonnet-4-5', provider: 'anthropic', input: 3_000_000n, output: 15_000_000n, weight: 4 },
  { model: 'gemini-2.5-flash', provider: 'google', input: 300_000n, output: 2_500_000n, weight: 4 },
] as const;

const FEATURES = [
  'chatbot',
  'summarizer',
  'search',
  'agent',
  'email-drafts',
  'translation',
  'moderation',
  'onboarding',
  'billing',
  'labs',
] as const;
const CUSTOMERS = ['globex', 'initech', 'umbrella', 'hooli'] as const;
const REGIONS = ['US/California/San Francisco', 'US/New York', 'UK/London', 'DE/Berlin'] as const;

/** A month of calls of a made-up company; the same every time. */
export function monthOfCalls(): readonly CannedCall[] {
  const random = randomFrom(17);
  const calls: CannedCall[] = [];
  const end = Date.parse(NOW);
  for (let hours = 30 * 24; hours > 0; hours -= 1) {
    const atMs = end - hours * HOUR_MS;
    const weekend = [0, 6].includes(new Date(atMs).getUTCDay());
    const busy = (weekend ? 0.5 : 1.5) * (1 + (720 - hours) / 900);
    for (let n = 0; n < Math.floor(busy + random()); n += 1)
      calls.push(ordinaryCall(calls.length, atMs + Math.floor(random() * HOUR_MS), random));
  }
  return [...calls, ...acmeCalls(calls.length, end), ...oddCalls(end)].toSorted(
    (left, right) => right.atMs - left.atMs,
  );
}

/** 128 calls of customer/acme that cost $54.20 together. */
function acmeCalls(from: number, end: number): readonly CannedCall[] {
  const random = randomFrom(3);
  return Array.from({ length: 128 }, (_, at) => {
    const call = ordinaryCall(from + at, end - 60_000 - at * 61 * 60_000, random);
    const feature = at % 3 === 0 ? 'feature/summary' : 'feature/chat';
    return {
      ...call,
      model: at % 4 === 1 ? 'claude-3-5-haiku' : 'gpt-4o-mini',
      provider: at % 4 === 1 ? 'anthropic' : 'openai',
      cost:
        at === 0 ? 420_000_000_000n : at === 1 ? 1_080_000_000_000n : at === 127 ? 520_000_000_000n : 417_440_000_000n,
      costState: 'exact',
      entity: null,
      tags: {},
      labels: at % 5 === 0 ? ['beta'] : [],
      paths: ['customer/acme', feature],
      status: 'ok',
    };
  }).map((call) => ({ ...call, cost: picoUsd(call.cost) }));
}

/** What a total alone would hide: no price, and no answer recorded. */
function oddCalls(end: number): readonly CannedCall[] {
  const random = randomFrom(5);
  const unpriced = {
    ...ordinaryCall(9001, end - 3 * HOUR_MS, random),
    model: 'llama-4-70b',
    provider: 'local',
    cost: null,
    costState: 'unpriced',
  };
  const inDoubt = {
    ...ordinaryCall(9002, end - 5 * HOUR_MS, random),
    cost: null,
    costState: 'in_doubt',
    status: 'interrupted',
    atRisk: picoUsd(128_000_000_000n),
  };
  return [unpriced, inDoubt];
}

/** One sandbox call, as the empty page's snippet makes it. */
export function sandboxCall(atMs: number): CannedCall {
  return {
    ...ordinaryCall(1, atMs, randomFrom(1)),
    model: 'sandbox-mini',
    provider: 'sandbox',
    inputTokens: 11,
    outputTokens: 33,
    cost: picoUsd(21_500_000n),
    entity: null,
    tags: { feature: 'chatbot', env: 'development' },
    labels: [],
    paths: [],
  };
}

function ordinaryCall(n: number, atMs: number, random: () => number): CannedCall {
  const price = pick(
    MODELS.flatMap((model) => Array.from({ length: model.weight }, () => model)),
    random,
  );
  const inputTokens = 900 + Math.floor(random() * random() * 260_000);
  const outputTokens = 60 + Math.floor(random() * random() * 9000);
  const failed = random() < 0.03;
  const cost = failed ? 0n : BigInt(inputTokens) * price.input + BigInt(outputTokens) * price.output;
  const customer = random() < 0.6 ? pick(CUSTOMERS, random) : null;
  const feature = FEATURES[Math.floor(random() ** 1.8 * FEATURES.length)] ?? 'chatbot';
  return {
    id: `call_019e${n.toString(16).padStart(28, '0')}`,
    atMs,
    model: price.model,
    provider: price.provider,
    inputTokens: failed ? 0 : inputTokens,
    outputTokens: failed ? 0 : outputTokens,
    cost: picoUsd(cost),
    costState: 'exact',
    atRisk: null,
    latencyMs: 280 + Math.floor(random() * random() * 9000),
    entity: customer === null ? null : { type: 'customer', id: customer },
    tags: {
      ...(random() < 0.86 ? { feature } : {}),
      env: random() < 0.8 ? 'production' : 'staging',
      ...(customer === null ? {} : { customer }),
    },
    labels: random() < 0.2 ? ['beta'] : [],
    paths: random() < 0.5 ? [pick(REGIONS, random)] : [],
    keyName: pick(['web-app', 'batch', 'ci'], random),
    status: failed ? 'upstream_error' : 'ok',
  };
}

export function costOf(calls: readonly CannedCall[]): PicoUsd {
  return sumUsd(calls.flatMap((call) => (call.cost === null ? [] : [call.cost])));
}

export function moneyFields(name: string, amount: PicoUsd): Record<string, unknown> {
  return { [name]: usdNumber(amount), [`${name}_exact`]: formatUsd(amount) };
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

/** mulberry32: small, seeded, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
