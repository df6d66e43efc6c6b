import { COST_STATES, type CostState } from '#terms';

/**
 * What reports sum of an entry, in few bytes. A report over entries reads this of each one, so it takes as long as these bytes: 34 of them say what
 * twenty columns with 170 say, to the pico-dollar.
 *
 * `traits` says what an entry counts as. Most counts follow from it and from how many entries have it, and so does what part of a sum of costs is
 * estimated, reported, or the sandbox's. `narrow_aside` is the one amount of `ASIDES` that is not zero.
 *
 * Holds: an entry with an amount that does not fit, or with two for `narrow_aside`, is `WIDE`: its other columns are read instead. An index tells
 * where there are such entries.
 */
export const WIDE = 65_535;

/** What list cost has beyond the cost; money at risk; the cost that a correction moves to another state. */
const ASIDES = ['list_extra', 'risk', 'moved_cost'] as const;

type Aside = (typeof ASIDES)[number];

const AMOUNTS = {
  cost: 'coalesce(cost, 0)',
  billed_extra: 'coalesce(billed, cost, 0) - coalesce(cost, 0)',
  list_extra: 'coalesce(list_cost, cost, 0) - coalesce(cost, 0)',
  risk: 'coalesce(at_risk, 0)',
  moved_cost: 'moved_cost',
} as const;

const ASIDE = ASIDES.map((aside) => AMOUNTS[aside]).join(' + ');

// The places of `traits`: the state, the state that a correction ends, which aside, and what is true of it or not.
const RESOLVES = 16;
const ASIDE_KIND = 256;

const FLAGS = {
  posting: { bit: 1024, sql: "kind != 'attempt'" },
  interrupted: { bit: 2048, sql: "status = 'interrupted'" },
  sandbox: { bit: 4096, sql: "provider = 'sandbox'" },
  call: { bit: 8192, sql: 'counts_call' },
} as const;

const STATES = `[${COST_STATES.map((state) => `'${state}'`).join(', ')}]`;

function codeIn(column: 'cost_state' | 'resolves'): string {
  return `transform(${column}, ${STATES}, [${COST_STATES.map(codeOf).join(', ')}], 0)`;
}

function codeOf(state: CostState): number {
  return COST_STATES.indexOf(state) + 1;
}

const TRAITS = [
  codeIn('cost_state'),
  `${RESOLVES} * ${codeIn('resolves')}`,
  ...ASIDES.map((aside, at) => `${ASIDE_KIND * (at + 1)} * ((${AMOUNTS[aside]}) != 0)`),
  ...Object.values(FLAGS).map(({ bit, sql }) => `${bit} * (${sql})`),
].join(' + ');

/** Kept one higher: what is zero nearly everywhere is stored sparsely, which takes twice as long to read under filters. */
const RAISED = 1;

const SIXTY_FOUR = [AMOUNTS.cost, `${AMOUNTS.billed_extra} + ${RAISED}`, `${ASIDE} + ${RAISED}`];

const IS_WIDE = [
  ...SIXTY_FOUR.map((amount) => `${amount} != toInt64(${amount})`),
  ...['input_tokens', 'output_tokens'].map((tokens) => `${tokens} != toInt32(${tokens})`),
  `${ASIDES.map((aside) => `(${AMOUNTS[aside]} != 0)`).join(' + ')} > 1`,
  'counts_call > 1',
].join(' OR ');

/**
 * T64 leaves out the bits that no number nearby uses: half of what LZ4 makes of such numbers, and read in half the time. What is four bytes wide as it
 * is stays as it is, which is read in half of that again.
 */
function narrow(type: 'Int64' | 'Int32', amount: string, codec: 'T64' | 'LZ4' | 'NONE'): string {
  return `${type} MATERIALIZED if(traits = ${WIDE}, 0, to${type}(${amount})) CODEC(${codec})`;
}

/** It and all above it. */
export const LAST_NARROW_SEQ = 2 ** 32 - 1;

export const NARROW_COLUMNS = {
  traits: `UInt16 MATERIALIZED if(${IS_WIDE}, ${WIDE}, toUInt16(${TRAITS}))`,
  narrow_cost: narrow('Int64', AMOUNTS.cost, 'T64'),
  narrow_billed: narrow('Int64', `${AMOUNTS.billed_extra} + ${RAISED}`, 'T64'),
  // The same nearly everywhere, which LZ4 is better at.
  narrow_aside: narrow('Int64', `${ASIDE} + ${RAISED}`, 'LZ4'),
  narrow_input: narrow('Int32', 'input_tokens', 'NONE'),
  narrow_output: narrow('Int32', 'output_tokens', 'NONE'),
  // The order number, for `as_of`.
  narrow_seq: `UInt32 MATERIALIZED toUInt32(least(seq, ${LAST_NARROW_SEQ})) CODEC(NONE)`,
} as const;

export const NARROW_INDEX = 'traits_range traits TYPE minmax GRANULARITY 1';

/** Sums of entries that have the same `traits`, under names of their own. */
export const NARROW_SUMS = narrowSums({ count: 'count()' });

/** The same of cells, which have the same columns, see `CellSet`. */
export const CELL_SUMS = narrowSums({ count: 'sum(entry_count)' });

function narrowSums({ count }: { readonly count: string }): string {
  return [
    'traits AS n_traits',
    `toInt64(${count}) AS n_count`,
    'sum(toInt128(narrow_cost)) AS n_cost',
    'sum(toInt128(narrow_billed)) AS n_billed',
    'sum(toInt128(narrow_aside)) AS n_aside',
    // Of 32 bits each: four thousand million of them fit in the sum.
    'sum(narrow_input) AS n_input',
    'sum(narrow_output) AS n_output',
    'toInt64(sum(latency_ms)) AS n_waited',
  ].join(', ');
}

/** 1 or 0. Products instead of conditions: the engine takes half as long to read them. */
const has = (flag: keyof typeof FLAGS): string => `bitTest(n_traits, ${Math.log2(FLAGS[flag].bit)})`;
const aside = (which: Aside): string => `n_apart * (n_kind = ${ASIDES.indexOf(which) + 1})`;

/**
 * What several of `FROM_NARROW` need, each once: the engine takes as long to read a statement as to read a million entries. What is `WIDE` counts
 * as nothing.
 */
export const NARROW_TERMS = [
  `n_count * (n_traits != ${WIDE}) AS n_entries`,
  `n_traits % ${RESOLVES} AS n_state`,
  `intDiv(n_traits, ${RESOLVES}) % ${RESOLVES} AS n_resolved`,
  `bitAnd(intDiv(n_traits, ${ASIDE_KIND}), 3) AS n_kind`,
  `n_aside - ${RAISED} * n_entries AS n_apart`,
  `${aside('moved_cost')} AS n_moved`,
  'n_cost + n_moved AS n_in_state',
  `n_entries * ${has('posting')} AS n_postings`,
  `if(n_postings = 0 OR n_resolved != 0, n_entries, 0) AS n_told`,
].join(', ');

function costIn(state: CostState): string {
  const code = codeOf(state);
  return `n_in_state * (n_state = ${code}) - n_moved * (n_resolved = ${code})`;
}

function countIn(state: CostState): string {
  const code = codeOf(state);
  return `n_told * (n_state = ${code}) - n_entries * (n_resolved = ${code})`;
}

/** What is summed up of entries, from `NARROW_SUMS` and `NARROW_TERMS`. */
export const FROM_NARROW = {
  cost: 'n_cost',
  list_extra: aside('list_extra'),
  billed_extra: `n_billed - ${RAISED} * n_entries`,
  estimated_cost: costIn('estimated'),
  reported_cost: costIn('reported'),
  partial_exact_cost: costIn('partial_exact'),
  risk: aside('risk'),
  sandbox_cost: `n_cost * ${has('sandbox')}`,
  entry_count: 'n_entries',
  counts_call: `n_entries * ${has('call')}`,
  posting_count: 'n_postings',
  untimed_count: `if(${has('interrupted')}, n_entries, n_postings)`,
  input_tokens: 'n_input',
  output_tokens: 'n_output',
  latency_ms: `n_waited * (n_traits != ${WIDE})`,
  unpriced_count: countIn('unpriced'),
  incomplete_count: countIn('incomplete'),
  estimated_count: countIn('estimated'),
  in_doubt_count: countIn('in_doubt'),
  sandbox_count: `n_entries * ${has('sandbox')}`,
} as const;
