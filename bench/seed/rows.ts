import { quote } from '../../src/ledger/store/bind.ts';
import { ENTRIES, ENTRY_COLUMNS, type EntryColumn } from '#ledger/store';

/** What is generated: the same seed and sizes give the same rows, whatever the chunks. */
export type SeedPlan = {
  readonly seed: number;
  /** Attempts; corrections come on top. */
  readonly attempts: number;
  readonly sessions: number;
  readonly startMs: number;
  readonly days: number;
};

export const SEED_NODE = 'node_seed';

const SEED = 42;
const ENTRIES_PER_SESSION = 20;

/** All of it within one default period of reports. */
export function planFor(attempts: number): SeedPlan {
  const sessions = Math.round(attempts / ENTRIES_PER_SESSION);
  return { seed: SEED, attempts, sessions, startMs: Date.UTC(2026, 9, 1), days: 30 };
}

type Model = {
  readonly provider: string;
  readonly model: string;
  /** Pico-dollars a token. */
  readonly input: number;
  readonly output: number;
};

/** The most used first. */
const MODELS: readonly Model[] = [
  { provider: 'openai', model: 'gpt-4o-mini', input: 150_000, output: 600_000 },
  { provider: 'openai', model: 'gpt-4o', input: 2_500_000, output: 10_000_000 },
  { provider: 'anthropic', model: 'claude-sonnet-4-5', input: 3_000_000, output: 15_000_000 },
  { provider: 'gemini', model: 'gemini-2.5-flash', input: 300_000, output: 2_500_000 },
  { provider: 'openai', model: 'gpt-4.1-mini', input: 400_000, output: 1_600_000 },
  { provider: 'anthropic', model: 'claude-haiku-4-5', input: 1_000_000, output: 5_000_000 },
  { provider: 'openai', model: 'text-embedding-3-small', input: 20_000, output: 0 },
  { provider: 'gemini', model: 'gemini-2.5-pro', input: 1_250_000, output: 10_000_000 },
  { provider: 'openai', model: 'o4-mini', input: 1_100_000, output: 4_400_000 },
  { provider: 'openai', model: 'gpt-4.1', input: 2_000_000, output: 8_000_000 },
  { provider: 'mistral', model: 'mistral-large-latest', input: 2_000_000, output: 6_000_000 },
  { provider: 'anthropic', model: 'claude-opus-4-1', input: 15_000_000, output: 75_000_000 },
];

const CUSTOMERS = 300;
const FEATURES = 30;
const KEYS = 50;
const TEAMS = 10;
const OWNERS = 20;

const ENVIRONMENTS = ['production', 'staging', 'dev'] as const;
const REGIONS = ['US/California/SF', 'US/California/LA', 'US/Texas', 'US/NewYork', 'UK/London', 'DE/Berlin', 'JP'];
const STEPS = ['plan', 'plan/search', 'plan/search/rank', 'write', 'write/review', 'answer'];

/** The columns of a chunk of attempts, `[from, from + rows)`, as SQL over `numbers`. Every value is a hash of its row. */
export function attemptsStatement(plan: SeedPlan, from: number, rows: number): string {
  const columns = Object.entries(columnsOf(plan));
  return `INSERT INTO ${ENTRIES} (${columns.map(([name]) => name).join(', ')})
    SELECT ${columns.map(([name, sql]) => `${sql} AS c_${name}`).join(',\n')} FROM (${moneyOf(plan, from, rows)})
    SETTINGS ${SETTINGS}`;
}

const SETTINGS = [
  'json_type_escape_dots_in_keys=1',
  'input_format_try_infer_dates=0',
  'input_format_try_infer_datetimes=0',
  'max_partitions_per_insert_block=0',
  'max_insert_threads=1',
].join(', ');

/** Between 0 and 1, the same for the same row and name. */
function chance({ seed }: SeedPlan, name: string, of = 'n'): string {
  return `(cityHash64(${seed}, ${quote(name)}, ${of}) % 1000003 / 1000003.)`;
}

/** One of `count`, the low ones much more often: the first of 300 customers makes a tenth of the calls. */
function skewed(random: string, count: number, steep = 2.5): string {
  return `toUInt32(floor(pow(${random}, ${steep}) * ${count}))`;
}

function list(values: readonly (string | number)[]): string {
  return `[${values.map((value) => (typeof value === 'string' ? quote(value) : value)).join(', ')}]`;
}

function oneOf(values: readonly string[], index: string): string {
  return `arrayElement(${list(values)}, ${index} + 1)`;
}

/** Rows with their number, call, attempt and session. Every fiftieth call fails at first and is tried again. */
function callsOf(plan: SeedPlan, from: number, rows: number): string {
  const { attempts, sessions } = plan;
  const retried = (n: string): string => `(${n} % 2 = 0 AND ${chance(plan, 'retry', n)} < 0.04)`;
  return `SELECT toUInt64(number) AS n, toUInt8(${retried('n')}) AS failed, n + failed AS call,
      toUInt8(n > 0 AND ${retried('(n - 1)')}) AS again,
      ${chance(plan, 'in a session', 'call')} < 0.85 AS in_session,
      intDiv(call * ${sessions}, ${attempts}) + cityHash64(${plan.seed}, 'session', call) % 40 AS session,
      if(in_session, session, call + 1099511627776) AS who
    FROM numbers(${from}, ${rows})`;
}

/** Who calls what, when. Who it is stays the same over a session. */
function actorsOf(plan: SeedPlan, from: number, rows: number): string {
  const { startMs, days, attempts } = plan;
  const at = `(call / ${attempts}.)`;
  return `SELECT *, ${skewed(chance(plan, 'key', 'who'), KEYS)} AS key, key % ${TEAMS} AS team, key % ${OWNERS} AS owner,
      ${skewed(chance(plan, 'customer', 'who'), CUSTOMERS)} AS customer, ${chance(plan, 'has a customer', 'who')} < 0.9 AS for_customer,
      ${skewed(chance(plan, 'feature', 'who'), FEATURES, 2)} AS feature, ${chance(plan, 'has a feature', 'who')} < 0.97 AS for_feature,
      ${skewed(chance(plan, 'environment', 'who'), ENVIRONMENTS.length, 3)} AS environment,
      ${skewed(chance(plan, 'user', 'who'), 5000, 1.5)} AS user, ${chance(plan, 'has a user', 'who')} < 0.4 AS for_user,
      ${skewed(chance(plan, 'model', 'call'), MODELS.length, 2)} AS m,
      ${chance(plan, 'state')} AS state,
      toInt64(${startMs} + 86400000. * (${at} * ${days} + 0.09 * sin(6.283185307 * ${at} * ${days}))
        + cityHash64(${plan.seed}, 'late', n) % 3000 + again * 800) AS at_ms
    FROM (${callsOf(plan, from, rows)})`;
}

/** What it used and cost. */
function moneyOf(plan: SeedPlan, from: number, rows: number): string {
  const price = (field: 'input' | 'output'): string =>
    `arrayElement(${list(MODELS.map((model) => model[field]))}, m + 1)`;
  return `SELECT *, failed OR state < 0.01 AS is_error, NOT is_error AND state > 0.9995 AS is_doubt,
      NOT is_error AND state BETWEEN 0.990 AND 0.992 AS is_unpriced,
      multiIf(is_error, 'exact', is_doubt, 'in_doubt', is_unpriced, 'unpriced', state BETWEEN 0.980 AND 0.985, 'estimated',
        state BETWEEN 0.970 AND 0.980, 'reported', state BETWEEN 0.985 AND 0.986, 'partial_exact', 'exact') AS cost_state,
      is_error OR is_doubt AS is_empty,
      if(is_empty, 0, toInt64(20 - 900 * log(${chance(plan, 'input')} + 1e-6))) AS input,
      if(is_empty, 0, toInt64(5 - 250 * log(${chance(plan, 'output')} + 1e-6))) AS output,
      toInt128(input) * ${price('input')} AS input_cost, toInt128(output) * ${price('output')} AS output_cost,
      if(is_doubt OR is_unpriced, NULL, input_cost + output_cost) AS cost,
      toUInt32(if(is_doubt, 0, 200 + output * 8 + cityHash64(${plan.seed}, 'latency', n) % 500)) AS latency
    FROM (${actorsOf(plan, from, rows)})`;
}

/** `"name":"value"` where `present`. */
function member(name: string, value: string, present = '1'): string {
  return `if(${present}, concat('"${name}":"', toString(${value}), '"'), '')`;
}

function json(members: readonly string[]): string {
  return `concat('{', arrayStringConcat(arrayFilter(x -> x != '', [${members.join(', ')}]), ','), '}')`;
}

const TAGS = {
  customer: ["concat('customer-', toString(customer))", 'for_customer'],
  feature: ["concat('feature-', toString(feature))", 'for_feature'],
  env: [oneOf(ENVIRONMENTS, 'environment'), '1'],
  team: ["concat('team-', toString(team))", '1'],
  'cost.center': ["concat('cc-', toString(key % 8))", 'key % 5 != 0'],
  user: ["concat('user-', toString(user))", 'for_user'],
  experiment: ["concat('arm-', toString(customer % 4))", 'feature % 10 = 3'],
} as const;

const PROVENANCE: Readonly<Record<keyof typeof TAGS, string>> = {
  customer: 'declared',
  feature: 'declared',
  env: 'default',
  team: 'locked',
  'cost.center': 'default',
  user: 'declared',
  experiment: 'declared',
};

function tagMembers(value: (key: keyof typeof TAGS) => string): readonly string[] {
  const keys: readonly (keyof typeof TAGS)[] = [
    'customer',
    'feature',
    'env',
    'team',
    'cost.center',
    'user',
    'experiment',
  ];
  return keys.map((key) => member(key, value(key), TAGS[key][1]));
}

function columnsOf(plan: SeedPlan): Readonly<Record<EntryColumn, string>> {
  return { ...identityColumns(plan), ...tagColumns(plan), ...outcomeColumns(), ...moneyColumns() };
}

function identityColumns(plan: SeedPlan) {
  // UUIDv7, as calls have them: the time, then chance.
  const hex = `lower(leftPad(hex(toUInt64(${plan.startMs} + call * 20)), 16, '0'))`;
  const callId = `concat('call_', substring(${hex}, 5, 12), '7', lower(leftPad(hex(cityHash64(${plan.seed}, 'id', call)), 19, '8')))`;
  return {
    node_id: quote(SEED_NODE),
    seq: 'n + 1',
    schema: '1',
    call_id: callId,
    attempt: '1 + again',
    effective_at: "fromUnixTimestamp64Milli(at_ms, 'UTC')",
    cause: "if(again = 1, 'retry', 'first')",
    operation: "if(m = 6, 'embeddings', 'chat')",
    wire: "if(m = 6, 'openai.embeddings', 'openai.chat')",
    stream: `${chance(plan, 'stream', 'call')} < 0.4`,
    key_id: "concat('key_', toString(key))",
    key_name: "concat('key ', toString(key))",
    key_team: "concat('team-', toString(team))",
    key_owner: "concat('owner-', toString(owner))",
    entity_type: "if(for_customer, 'customer', 'team')",
    entity_id: "if(for_customer, concat('customer-', toString(customer)), concat('team-', toString(team)))",
    session_id: "if(in_session, concat('session-', toString(session)), '')",
    session_path: `if(in_session AND session % 3 = 0, ${oneOf(STEPS, `(call % ${STEPS.length})`)}, '')`,
    trace_id: "if(session % 5 = 0, lower(hex(MD5(toString(session)))), '')",
    request_model: `if(call % 20 = 0, 'best', ${oneOf(
      MODELS.map(({ model }) => model),
      'm',
    )})`,
    route: "if(call % 20 = 0, 'best', '')",
    provider: oneOf(
      MODELS.map(({ provider }) => provider),
      'm',
    ),
    price_as: oneOf(
      MODELS.map(({ provider }) => provider),
      'm',
    ),
    region: "if(m = 3, 'eu', '')",
    model: oneOf(
      MODELS.map(({ model }) => model),
      'm',
    ),
    reserved: 'toInt128(40000000000)',
    entry_id: `concat(${callId}, '.', toString(1 + again), '.attempt.0')`,
    kind: "'attempt'",
    counts_call: '1 - failed',
    posted_at: "fromUnixTimestamp64Milli(at_ms + latency, 'UTC')",
  };
}

function tagColumns(plan: SeedPlan) {
  const labels = ['beta', 'vip', 'batch', 'nightly', 'internal', 'eval', 'AWS_IAM_PROD', 'mobile'];
  const some = `arrayFilter(x -> cityHash64(${plan.seed}, x, who) % 12 = 0, ${list(labels)})`;
  const paths = `if(who % 10 < 3, [concat(${oneOf(REGIONS, `(customer % ${REGIONS.length})`)})], [])`;
  return {
    tags: json(tagMembers((key) => TAGS[key][0])),
    tag_provenance: json(tagMembers((key) => quote(PROVENANCE[key]))),
    labels: some,
    paths,
    tag_conflicts: '[]',
    tags_overflow: 'map()',
    tags_sent: `arrayConcat(arrayFilter(x -> x != '', [if(for_customer, concat('customer:customer-', toString(customer)), ''),
      if(for_feature, concat('feature:feature-', toString(feature)), '')]), ${some}, ${paths})`,
  };
}

function outcomeColumns() {
  const usage = `concat('{"prompt_tokens":', toString(input), ',"completion_tokens":', toString(output),
    ',"total_tokens":', toString(input + output), ',"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}')`;
  return {
    status: `multiIf(is_doubt, 'interrupted', is_error, 'upstream_error', 'ok')`,
    http_status: 'multiIf(is_doubt, 0, is_error, 500, 200)',
    error_code: "multiIf(is_doubt, 'gateway_crashed', is_error, 'server_error', '')",
    upstream_id: "if(is_empty, '', concat('chatcmpl-', lower(hex(cityHash64(n)))))",
    response_model: `if(is_empty, '', ${oneOf(
      MODELS.map(({ model }) => `${model}-2026-08-01`),
      'm',
    )})`,
    service_tier: "if(is_empty, '', 'default')",
    geo: "''",
    latency_ms: 'latency',
    first_byte_ms: 'if(is_empty, NULL, 90 + latency % 200)',
    meters: "if(is_empty, map(), map('input', toFloat64(input), 'output_text', toFloat64(output)))",
    usage_origin: "multiIf(is_empty, '', cost_state = 'estimated', 'estimated', 'reported')",
    usage_raw: `if(is_empty, '', ${usage})`,
    other_usage: "''",
    input_tokens: 'input',
    output_tokens: 'output',
  };
}

function moneyColumns() {
  const line = (meter: string, field: 'input' | 'output'): string => {
    const unit = `toString(arrayElement(${list(MODELS.map((model) => model[field]))}, m + 1) / 1000000.)`;
    return `(${quote(meter)}, toString(${field}), ${unit}, 1000000., ${field}_cost, concat('seed/', toString(m), '#${field}'))`;
  };
  return {
    charges: `if(is_empty OR is_unpriced, CAST([], ${quote(ENTRY_COLUMNS.charges)}), CAST([${line('input', 'input')},
      ${line('output_text', 'output')}], ${quote(ENTRY_COLUMNS.charges)}))`,
    cost: 'cost',
    list_cost: 'cost',
    // One customer in ten is charged on with a fifth on top.
    billed: 'if(for_customer AND customer % 10 = 0, cost + intDiv(cost, 5), cost)',
    computed_cost: 'cost',
    price_terms: '[]',
    cost_state: 'cost_state',
    cost_reason: "multiIf(is_doubt, 'gateway_crashed', is_error, 'not_billed', is_unpriced, 'no_price', '')",
    unpriced_meters: "if(is_unpriced, ['input', 'output_text'], [])",
    at_risk: 'if(is_doubt, toInt128(40000000000), NULL)',
    price_book: "'seed-1'",
    corrects: "''",
    resolves: "''",
    moved_cost: 'toInt128(0)',
  };
}

/**
 * Corrections of what is there: nine of ten unpriced attempts get their price later, and three of a thousand others one that is a
 * tenth lower. They come last, as a repricing would have made them.
 */
export function correctionsStatement({ seed, attempts }: SeedPlan): string {
  const priced = "cost_state = 'unpriced'";
  const replaced: Partial<Record<EntryColumn, string>> = {
    seq: `${attempts} + row_number() OVER (ORDER BY seq)`,
    entry_id: "concat(call_id, '.', toString(attempt), '.correction.1')",
    kind: "'correction'",
    counts_call: '0',
    latency_ms: '0',
    first_byte_ms: 'NULL',
    reserved: 'NULL',
    usage_raw: "''",
    meters: 'map()',
    input_tokens: '0',
    output_tokens: '0',
    cost: `if(${priced}, toInt128(input_tokens + output_tokens) * 1000000, -intDiv(cost, 10))`,
    list_cost: `if(${priced}, toInt128(input_tokens + output_tokens) * 1000000, -intDiv(cost, 10))`,
    billed: `if(${priced}, toInt128(input_tokens + output_tokens) * 1000000, -intDiv(cost, 10))`,
    computed_cost: `if(${priced}, toInt128(input_tokens + output_tokens) * 1000000, -intDiv(cost, 10))`,
    cost_state: "if(cost_state = 'unpriced', 'exact', toString(cost_state))",
    cost_reason: "'repriced'",
    unpriced_meters: '[]',
    corrects: 'entry_id',
    resolves: `if(${priced}, 'unpriced', '')`,
  };
  const names: readonly string[] = Object.keys(ENTRY_COLUMNS);
  const replacements: Readonly<Record<string, string>> = replaced;
  return `INSERT INTO ${ENTRIES} (${names.join(', ')})
    SELECT ${names.map((name) => `${replacements[name] ?? name} AS c_${name}`).join(', ')} FROM ${ENTRIES}
    WHERE (${priced} AND cityHash64(${seed}, 'priced later', seq) % 10 != 0)
       OR (cost_state = 'exact' AND cost > 0 AND cityHash64(${seed}, 'repriced', seq) % 1000 < 3)
    SETTINGS ${SETTINGS}`;
}
