import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { picoUsd, type CallId, type CostState, type RatedCost } from '#terms';
import { adjustmentEntry } from '../adjustment.ts';
import { correctionEntry } from '../correction.ts';
import { parseEntry } from '../entry-record.ts';
import { closeEntry, closeInDoubt, openEntry, type AttemptStart } from '../entry.ts';
import { standingOf } from '../standing.ts';
import { callProblems, toCallEntry, type CallEntry } from './call-entries.ts';
import { readFields, type EntryFields } from './entry-fields.ts';
import { checkEntry } from './entry-rules.ts';
import { Findings } from './finding.ts';

type Json = Record<string, unknown>;

const CALL = `call_${'0'.repeat(31)}1` as CallId;

const START: AttemptStart = {
  callId: CALL,
  attempt: 1,
  startedAt: Date.parse('2026-03-01T10:00:00Z') as TimestampMs,
  cause: 'first',
  operation: 'chat',
  wire: 'openai.chat',
  stream: false,
  key: { id: 'key_1', name: 'first key', team: '', owner: '' },
  tags: {
    entity: null,
    sessionId: null,
    sessionPath: null,
    traceId: null,
    dimensions: new Map([['feature', { value: 'chat', provenance: 'declared' }]]),
    labels: [],
    paths: [],
    conflicts: [],
    overflow: new Map(),
    sent: ['feature:chat'],
    warnings: [],
  },
  requestModel: 'gpt-4o',
  route: '',
  provider: 'openai',
  priceAs: 'openai',
  region: '',
  model: 'gpt-4o',
  reserved: picoUsd(1_000_000_000n),
};

function rated(tokens: number, state: CostState = 'exact'): RatedCost {
  const amount = state === 'unpriced' ? null : picoUsd(BigInt(tokens) * 2_500_000n);
  const unitPrice = { amount: '2.5', per: 1_000_000 };
  return {
    state,
    cost: amount,
    listCost: amount,
    billed: amount,
    computedCost: amount,
    terms: [],
    charges: amount === null ? [] : [{ meter: 'input', quantity: tokens, unitPrice, amount, priceRow: 'row' }],
    unpricedMeters: amount === null ? ['input'] : [],
  };
}

function attempt(cost: RatedCost = rated(10)): Json {
  const entry = closeEntry(openEntry(START), START, {
    endedAt: (START.startedAt + 200) as TimestampMs,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: 'chatcmpl-1',
    last: true,
    responseModel: 'gpt-4o',
    latencyMs: 200,
    firstByteMs: 20,
    usage: { meters: { input: 10 }, origin: 'reported', raw: '{}' },
    rated: cost,
    priceBook: 'book-1',
  });
  return JSON.parse(entry);
}

const inDoubt = (): Json => JSON.parse(closeInDoubt(openEntry(START), START.startedAt, 'gateway_crashed'));

/** An entry and corrections of it, each to another cost. */
function chain(original: Json, costs: readonly RatedCost[]): readonly Json[] {
  const entries = [original];
  for (const cost of costs) {
    const [first, ...corrections] = entries.map((json) => parseEntry(json));
    if (first === undefined) return [];
    const { entry } = correctionEntry({
      original: first,
      standing: standingOf(first, corrections),
      postedAt: (START.startedAt + 1000) as TimestampMs,
      reason: 'repriced',
      rated: cost,
      meters: cost.charges.length === 0 ? {} : { input: cost.charges[0]?.quantity ?? 0 },
      priceBook: 'book-2',
    });
    entries.push(JSON.parse(entry));
  }
  return entries;
}

function fieldsOf(json: Json): EntryFields {
  const fields = readFields(Buffer.from(JSON.stringify(json)));
  assert.ok(!('problem' in fields), 'problem' in fields ? fields.problem : '');
  return fields;
}

/** The rules an entry breaks by itself. */
function broken(json: Json): readonly string[] {
  const findings = new Findings();
  const frame = json['kind'] === 'attempt' ? `${CALL}.1` : String(json['entry_id']);
  checkEntry(fieldsOf(json), { attempt: frame, place: {} }, findings);
  return [...new Set(findings.list().map(({ rule }) => rule))];
}

function callOf(entries: readonly Json[]): readonly CallEntry[] {
  return entries.map((json, at) => toCallEntry(at + 1, fieldsOf(json)));
}

/** The rules entries of a call break together, with the number of the entry. */
function brokenTogether(entries: readonly Json[], from = 1): readonly string[] {
  return callProblems(callOf(entries), from).map(({ rule, of }) => `${rule} ${of.seq}`);
}

test('entries as they are written break no rule', () => {
  const states: readonly RatedCost[] = [rated(10), rated(0), rated(10, 'estimated'), rated(10, 'unpriced')];
  for (const cost of states) assert.deepEqual(broken(attempt(cost)), []);
  assert.deepEqual(broken(inDoubt()), []);
});

const arbitraryRated = fc
  .tuple(
    fc.integer({ min: 0, max: 1000 }),
    fc.constantFrom<CostState>('exact', 'estimated', 'partial_exact', 'unpriced'),
  )
  .map(([tokens, state]) => rated(tokens, state));

test('an entry and whatever corrections of it break no rule, alone or together', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(attempt(), inDoubt()),
      fc.array(arbitraryRated, { maxLength: 5 }),
      (original, costs) => {
        const entries = chain(original, costs);
        for (const entry of entries) assert.deepEqual(broken(entry), []);
        assert.deepEqual(brokenTogether(entries), []);
      },
    ),
  );
});

for (const [what, change, rule] of [
  ['the name of another call', { call_id: 'call_2' }, 'entry.identity'],
  ['another number in its name', { entry_id: `${CALL}.1.attempt.1` }, 'entry.identity'],
  ['a cost of null', { cost: null }, 'entry.amounts'],
  ['a cost that is not the computed one', { cost: '25000001', billed: '25000001' }, 'entry.amounts'],
  ['less than nothing reserved', { reserved: '-1' }, 'entry.amounts'],
  ['less billed than it costs', { billed: '24999999' }, 'entry.amounts'],
  ['money at risk that is not in doubt', { at_risk: '5' }, 'entry.amounts'],
  ['a state it ends', { resolves: 'unpriced' }, 'entry.amounts'],
  ['no price book', { price_book: '' }, 'entry.charges'],
  ['another sum of its lines', { cost: '5', billed: '5', computed_cost: '5' }, 'entry.charges'],
  ['tokens its meters do not have', { input_tokens: 11 }, 'entry.tokens'],
  ['a meter nobody knows', { meters: { wine: 3 } }, 'entry.tokens'],
  ['a meter below zero', { meters: { input: -10 }, input_tokens: -10 }, 'entry.tokens'],
  ['an end before its beginning', { posted_at: '2026-03-01T09:59:59.000Z' }, 'entry.time'],
  ['a tag whose key is none', { tags: { 'a b': 'x' } }, 'entry.tags'],
  ['a tag of unknown origin', { tag_provenance: {} }, 'entry.tags'],
] as const) {
  test(`an attempt with ${what} breaks the rule ${rule}`, () => {
    assert.deepEqual(broken({ ...attempt(), ...change }), [rule]);
  });
}

test('a price line that is off by a pico-dollar is named', () => {
  const [line] = attempt()['charges'] as Json[];
  const changed = {
    ...attempt(),
    charges: [{ ...line, amount: '25000001' }],
    cost: '25000001',
    billed: '25000001',
    computed_cost: '25000001',
  };
  assert.deepEqual(broken(changed), ['entry.charges']);
});

test('a line is rounded half to even, of fractions of prices and of quantities alike', () => {
  for (const [quantity, unit_amount, unit_per, amount] of [
    ['1', '0.0000005', 1_000_000, '0'],
    ['3', '0.0000005', 1_000_000, '2'],
    ['5', '0.0000005', 1_000_000, '2'],
    ['7', '1/12', 1, '583333333333'],
    ['2.5', '0.006', 60, '250000000'],
    ['1e-7', '1', 1, '100000'],
  ] as const) {
    const line = { meter: 'input', quantity, unit_amount, unit_per, amount, price_row: 'row' };
    const entry = { ...attempt(), charges: [line], cost: amount, billed: amount, computed_cost: amount };
    assert.deepEqual(broken(entry), [], JSON.stringify(line));
  }
});

test('a contract may take a share off the lines, and never adds to them', () => {
  const under = { cost: '20000000', computed_cost: '20000000', price_terms: ['contract_1'] };
  assert.deepEqual(broken({ ...attempt(), ...under }), []);
  const over = { cost: '26000000', computed_cost: '26000000', billed: '26000000', price_terms: ['contract_1'] };
  assert.deepEqual(broken({ ...attempt(), ...over }), ['entry.charges']);
});

test('an attempt in doubt has at risk what was reserved', () => {
  assert.deepEqual(broken({ ...inDoubt(), at_risk: '1' }), ['entry.amounts']);
  assert.deepEqual(broken({ ...inDoubt(), cost: '0' }), ['entry.amounts']);
  assert.deepEqual(broken({ ...inDoubt(), at_risk: null, reserved: null }), []);
});

test('what an entry must have and does not is named; what older versions did not have may be missing', () => {
  const problem = (json: unknown): string => {
    const fields = readFields(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)));
    return 'problem' in fields ? fields.problem : '';
  };
  const { cost: _cost, ...without } = attempt();
  assert.equal(problem(without), 'cost is missing, not integer pico-dollars');
  assert.equal(problem({ ...attempt(), cost: 25 }), 'cost is 25, not integer pico-dollars');
  assert.equal(problem({ ...attempt(), tags: { a: 1 } }), 'tags is {"a":1}, not an object of texts');
  assert.equal(problem({ ...attempt(), cost_state: 'free' }), 'cost_state is "free"');
  assert.equal(problem({ ...attempt(), schema: 9 }), 'it is of schema 9; this version knows those up to 1');
  assert.match(problem('{"a":'), /^it is no JSON: /);
  assert.equal(problem([]), 'it is no object');
  const { list_cost: _list, price_terms: _terms, moved_cost: _moved, route: _route, ...older } = attempt();
  assert.equal(problem(older), '');
});

test('the same entry twice, and two attempts that count the call, are named', () => {
  assert.deepEqual(brokenTogether([attempt(), attempt()]), ['calls.unique 2', 'calls.counted 2']);
  const second = { ...attempt(), attempt: 2, entry_id: `${CALL}.2.attempt.0` };
  assert.deepEqual(brokenTogether([attempt(), second]), ['calls.counted 2']);
  assert.deepEqual(brokenTogether([{ ...attempt(), counts_call: 0 }, second]), []);
});

test('a correction without its entry, before it, or out of order is named', () => {
  const [original = {}, first = {}, second = {}] = chain(attempt(), [rated(20), rated(30)]);
  assert.deepEqual(brokenTogether([first]), ['calls.corrections 1']);
  // What it corrects was in a file that is gone.
  assert.deepEqual(brokenTogether([first], 2), []);
  assert.deepEqual(brokenTogether([first, original]), ['calls.corrections 1']);
  assert.ok(brokenTogether([original, second]).includes('calls.corrections 2'));
  assert.ok(brokenTogether([original, second, first]).includes('calls.corrections 2'));
});

test('a correction that takes over another state or amount than was left is named', () => {
  const [original = {}, first = {}] = chain(inDoubt(), [rated(20)]);
  assert.deepEqual(brokenTogether([original, first]), []);
  assert.deepEqual(brokenTogether([original, { ...first, resolves: 'unpriced' }]), ['calls.corrections 2']);
  assert.deepEqual(brokenTogether([original, { ...first, resolves: '' }]), ['calls.corrections 2']);
  assert.deepEqual(brokenTogether([original, { ...first, moved_cost: '5' }]), ['calls.corrections 2']);
  assert.deepEqual(brokenTogether([original, { ...first, cost: '5', billed: '5' }]), ['calls.corrections 2']);
});

test('a correction that counts a call, or puts something at risk, is named', () => {
  const [, first = {}] = chain(attempt(), [rated(20)]);
  assert.deepEqual(broken({ ...first, counts_call: 1 }), ['entry.amounts']);
  assert.deepEqual(broken({ ...first, at_risk: '5' }), ['entry.amounts']);
  assert.deepEqual(broken({ ...first, cost: null }), ['entry.amounts']);
  assert.deepEqual(broken({ ...first, corrects: '' }), ['entry.identity']);
});

function adjustment(n: number): Json {
  const { entry } = adjustmentEntry({
    subject: { kind: 'entry', entry: parseEntry(attempt()), n },
    amount: picoUsd(-5n),
    moves: ['billed'],
    statement: { key: 'k', actor: 'a', reason: 'r' },
    postedAt: (START.startedAt + 1000) as TimestampMs,
  });
  return JSON.parse(entry);
}

test('adjustments beside an entry break no rule, and one that is missing, counts a call or is of no known kind is named', () => {
  for (const entry of [adjustment(1), { ...adjustment(1), corrects: '' }]) assert.deepEqual(broken(entry), []);
  assert.deepEqual(brokenTogether([attempt(), adjustment(1), adjustment(2)]), []);
  assert.deepEqual(brokenTogether([attempt(), adjustment(2)]), ['calls.corrections 2']);
  assert.deepEqual(broken({ ...adjustment(1), counts_call: 1 }), ['entry.amounts']);
  assert.deepEqual(broken({ ...adjustment(1), cost: null }), ['entry.amounts']);
  assert.deepEqual(broken({ ...adjustment(1), kind: 'gift', entry_id: `${CALL}.1.gift.1` })[0], 'entry.identity');
});
