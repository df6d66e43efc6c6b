// µs of CPU to find, hold and settle a call in the ten budgets of a thousand it falls in, and to take from ten limits. Run: node bench/micro/budgets.ts
import { BudgetBook, LimitBook, type Budget, type RateLimit, type Scope, type ScopedCall, type Values } from '#budgets';
import { type TimestampMs } from '#std';
import { picoUsd, type Dimension } from '#terms';
import { Counters, parseWish, wishText } from '../../src/ledger/journal/counters.ts';

const ROUNDS = 7;
const CALLS = 20_000;
const OTHERS = 990;

const NOON = Date.parse('2026-11-21T12:00:00Z') as TimestampMs;

const is = (value: string): Values => ({ kind: 'is', value });
const each: Values = { kind: 'each' };

const MATCHING: readonly Scope[] = [
  [],
  [{ on: 'key', values: is('key_1') }],
  [{ on: 'team', values: is('growth') }],
  [{ on: 'owner', values: each }],
  [{ on: 'entity', type: 'customer', values: each }],
  [{ on: 'dimension', key: 'feature', values: is('summarizer') }],
  [{ on: 'label', label: 'US' }],
  [{ on: 'model', values: is('gpt-5') }],
  [{ on: 'provider', values: is('openai') }],
  [
    { on: 'team', values: is('growth') },
    { on: 'dimension', key: 'env', values: is('prod') },
  ],
];

/** Budgets and limits of other keys, teams, customers and features, in equal parts. */
function otherScope(at: number): Scope {
  const kinds: readonly Scope[] = [
    [{ on: 'key', values: is(`key_x${at}`) }],
    [{ on: 'team', values: is(`team_x${at}`) }],
    [{ on: 'entity', type: 'customer', values: is(`customer_x${at}`) }],
    [{ on: 'dimension', key: 'feature', values: is(`feature_x${at}`) }],
  ];
  return kinds[at % kinds.length] ?? [];
}

const RULE = { counts: 'declared', effectiveFrom: null, effectiveTo: null } as const;

function budgetFor(scope: Scope, at: number): Budget {
  return {
    ...RULE,
    id: `b${at}`,
    name: `Budget ${at}`,
    scope,
    limit: picoUsd(10n ** 30n),
    window:
      at % 5 === 0
        ? { kind: 'rolling', lengthMs: 86_400_000 }
        : { kind: 'month', count: 1, startsOn: 1, zone: 'Europe/Berlin' },
    mode: at % 2 === 0 ? 'strict' : 'standard',
    action: { kind: 'block' },
    thresholds: [50, 80, 100],
    raise: null,
    outage: 'spend_lease',
  };
}

function limitFor(scope: Scope, at: number): RateLimit {
  const pace = { kind: 'bucket', perMs: 60_000, burst: 10n ** 15n } as const;
  const measure = at % 2 === 0 ? 'requests' : 'tokens';
  return { ...RULE, id: `l${at}`, name: `Limit ${at}`, scope, amount: 10n ** 15n, measure, pace };
}

const scopes = [...MATCHING, ...Array.from({ length: OTHERS }, (_, at) => otherScope(at))];
const book = new BudgetBook();
book.replace(scopes.map(budgetFor));
const limits = new LimitBook();
limits.replace(scopes.map(limitFor));

const customers = Array.from({ length: 1000 }, (_, at): ScopedCall => {
  const tags = {
    team: 'growth',
    feature: 'summarizer',
    env: 'prod',
    customer: `acme_${at}`,
    tier: 'pro',
    region: 'eu',
    version: '2',
  };
  const dimensions = Object.entries(tags).map(([key, value]): [string, Dimension] => [
    key,
    { value, provenance: 'declared' },
  ]);
  const call = { key: 'key_1', team: 'growth', owner: 'ann', model: 'gpt-5', provider: 'openai', route: '' };
  return { ...call, tags: { dimensions: new Map(dimensions), labels: ['beta'], paths: ['US/California/SF'] } };
});

let made = 0;
let now = NOON;

function next(): { readonly id: string; readonly call: ScopedCall; readonly at: TimestampMs } {
  made += 1;
  now = (NOON + Math.floor(made / 50)) as TimestampMs;
  const call = customers[made % customers.length];
  if (call === undefined) throw new Error('there are customers');
  return { id: `call_${made}.1`, call, at: now };
}

const bound = picoUsd(20_000_000_000n);
const expected = picoUsd(5_000_000_000n);

/** The journal thread's part of a call: the intent's text is read, reserved for, and settled. */
const counters = new Counters(
  { dir: '', shared: false, running: () => new Map(), written: () => 0, crossed: () => undefined },
  { nodeId: '', epoch: 1, seq: 0, rows: book.rows(), gauges: [] },
);
counters.govern({ budgets: scopes.map(budgetFor).map((budget) => ({ budget, since: null })), limits: [] }, NOON);
if (!counters.catchUp(NOON)) throw new Error('there is nothing to catch up with');

function nextIntent(): { readonly attempt: string; readonly intent: string } {
  const { call, at } = next();
  const callId = `call_${made}`;
  const dimensions = [...call.tags.dimensions];
  const intent = JSON.stringify({
    schema: 1,
    salt: 'c2FsdHNhbHRzYWx0c2FsdA',
    call_id: callId,
    attempt: 1,
    effective_at: new Date(at).toISOString(),
    operation: 'chat',
    key_id: call.key,
    key_team: call.team,
    key_owner: call.owner,
    tags: Object.fromEntries(dimensions.map(([key, { value }]) => [key, value])),
    tag_provenance: Object.fromEntries(dimensions.map(([key, { provenance }]) => [key, provenance])),
    labels: call.tags.labels,
    paths: call.tags.paths,
    tags_sent: ['customer:acme', 'feature:summarizer'],
    request_model: call.model,
    route: '',
    provider: call.provider,
    model: call.model,
    reserved: bound.toString(),
  });
  return { attempt: `${callId}.1`, intent };
}

const intents = Array.from({ length: CALLS }, nextIntent);
let asked = 0;

const WORK: Readonly<Record<string, () => void>> = {
  'find, and count a correction': () => {
    const { call, at } = next();
    book.correct({ call, delta: picoUsd(0n), effectiveAt: at, now: at });
  },
  'reserve and settle': () => {
    const wanted = next();
    if (book.reserve({ ...wanted, bound, expected }).kind !== 'admitted') throw new Error('it fits');
    book.settle(wanted.id, expected);
  },
  'journal: read, reserve, settle': () => {
    const one = intents[(asked += 1) % CALLS];
    if (one === undefined) throw new Error('there are intents');
    if (counters.reserve(one.intent, { expected, takes: null })?.kind !== 'admitted') throw new Error('it fits');
    counters.settle(one.attempt, '', { cost: expected, now });
  },
  'gateway: write and read the wish': () => {
    parseWish(wishText({ expected, takes: { tokens: 700, usd: expected } }));
  },
  'take and finish limits': () => {
    const wanted = next();
    if (limits.take({ ...wanted, tokens: 1000, usd: null }).kind !== 'admitted') throw new Error('it fits');
    limits.finish(wanted.id, { tokens: 800, usd: expected }, wanted.at);
  },
};

for (const [name, work] of Object.entries(WORK)) {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) work();
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / CALLS);
  }
  const median = rounds.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(28)} ${median.toFixed(2)} µs per call\n`);
}
