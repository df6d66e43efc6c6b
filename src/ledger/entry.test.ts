import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { makeCallId, makeEntryId, picoUsd, type RatedCost, type TagSet } from '#terms';
import { closeEntry, closeInDoubt, openEntry, type AttemptEnd, type AttemptStart } from './entry.ts';

const startedAt = systemClock.now();
const callId = makeCallId(startedAt, new Uint8Array(10));

const tags: TagSet = {
  entity: { type: 'customer', id: 'acme' },
  sessionId: null,
  sessionPath: null,
  traceId: null,
  overflow: new Map(),
  dimensions: new Map([['customer', { value: 'acme', provenance: 'declared' }]]),
  labels: ['beta'],
  paths: ['US/California'],
  conflicts: [],
  sent: ['beta', 'US/California'],
  warnings: [],
};

const start: AttemptStart = {
  callId,
  attempt: 1,
  startedAt,
  cause: 'first',
  operation: 'chat',
  wire: 'openai.chat',
  stream: false,
  key: { id: 'key_1', name: 'ci', team: 'growth', owner: '' },
  tags,
  requestModel: 'fast',
  route: 'fast',
  provider: 'openai',
  priceAs: 'openai',
  region: 'eu',
  model: 'gpt-4o',
  reserved: picoUsd(42_000_000n),
};

const rated: RatedCost = {
  state: 'exact',
  cost: picoUsd(25_000_000n),
  listCost: picoUsd(30_000_000n),
  billed: picoUsd(26_000_000n),
  computedCost: picoUsd(25_000_000n),
  terms: ['contract_1'],
  charges: [
    {
      meter: 'input',
      quantity: 10,
      unitPrice: { amount: '2.5', per: 1_000_000 },
      amount: picoUsd(25_000_000n),
      priceRow: 'openai/gpt-4o',
    },
  ],
  unpricedMeters: [],
};

const end: AttemptEnd = {
  endedAt: startedAt,
  status: 'ok',
  httpStatus: 200,
  errorCode: '',
  upstreamId: 'chatcmpl-1',
  last: true,
  responseModel: 'gpt-4o-2024-08-06',
  latencyMs: 12.6,
  firstByteMs: null,
  usage: { meters: { input: 10, cache_read: 5, output_text: 3 }, origin: 'reported', raw: '{}' },
  rated,
  priceBook: 'book_1',
};

test('an entry is its intent continued: the same fields, then what the attempt came to', () => {
  const open = openEntry(start);
  const intent = JSON.parse(open);
  const entry = JSON.parse(closeEntry(open, start, end));
  assert.deepEqual(Object.fromEntries(Object.keys(intent).map((key) => [key, entry[key]])), intent);
  assert.equal(entry.entry_id, makeEntryId(callId, 1, { kind: 'attempt', n: 0 }));
  assert.deepEqual([entry.cost, entry.list_cost, entry.billed], ['25000000', '30000000', '26000000']);
  assert.equal(entry.at_risk, null);
  assert.deepEqual([entry.input_tokens, entry.output_tokens, entry.latency_ms], [15, 3, 13]);
});

test('an in-doubt entry has the fields of any other, no cost, and the reservation at risk', () => {
  const open = openEntry(start);
  const settled = JSON.parse(closeEntry(open, start, end));
  const doubted = JSON.parse(closeInDoubt(open, startedAt, 'gateway_crashed'));
  assert.deepEqual(Object.keys(doubted), Object.keys(settled));
  assert.equal(doubted.entry_id, settled.entry_id);
  assert.deepEqual(
    [doubted.cost, doubted.cost_state, doubted.at_risk, doubted.status],
    [null, 'in_doubt', '42000000', 'interrupted'],
  );
});

test('an attempt without a provable bound is in doubt with an unknown amount, not with zero', () => {
  const open = openEntry({ ...start, reserved: null });
  assert.equal(JSON.parse(closeInDoubt(open, startedAt, 'gateway_crashed')).at_risk, null);
});

test('a call that was tried again is counted by its last attempt, whatever became of it', () => {
  const counts = [false, true].map(
    (last) => JSON.parse(closeEntry(openEntry(start), start, { ...end, last })).counts_call,
  );
  assert.deepEqual(counts, [0, 1]);
  const lost = openEntry({ ...start, attempt: 2, cause: 'retry' });
  assert.equal(JSON.parse(closeInDoubt(lost, startedAt, 'gateway_crashed')).counts_call, 1);
});

test('what other models consumed inside the answer is in the tokens of the entry', () => {
  const others = [{ model: 'gpt-4o-mini', meters: { input: 7, output_text: 2 } }];
  const usage = { meters: { input: 10, output_text: 3 }, origin: 'reported', others, raw: '{}' } as const;
  const entry = JSON.parse(closeEntry(openEntry(start), start, { ...end, usage }));
  assert.deepEqual([entry.input_tokens, entry.output_tokens], [17, 5]);
  assert.deepEqual(JSON.parse(entry.other_usage), others);
});
