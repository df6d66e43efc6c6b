import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampMs } from '#std';
import { readBodyTags, resolveTags } from '#tags';
import { picoUsd } from '#terms';
import { adjustmentEntry, movedBy, statementOf, type AdjustmentSubject } from './adjustment.ts';
import { parseEntry, type EntryRecord } from './entry-record.ts';
import { standingOf } from './standing.ts';
import { sampleEntry } from './store/sample.fixture.ts';

const POSTED = Date.UTC(2026, 10, 5) as TimestampMs;
const STATEMENT = { key: 'credit-1', actor: 'admin_key', reason: 'a credit' };

const attempt = parseEntry(JSON.parse(sampleEntry(7, { cost: 100n, tags: { team: 'core' } })));

function adjusted(subject: AdjustmentSubject): EntryRecord {
  const parts = { amount: picoUsd(-7n), moves: ['billed', 'cost'] as const, statement: STATEMENT, postedAt: POSTED };
  const { entryId, entry } = adjustmentEntry({ subject, ...parts });
  const record = parseEntry(JSON.parse(entry));
  assert.equal(record.entryId, entryId);
  return record;
}

const ofCall = adjusted({ kind: 'entry', entry: attempt, n: 2 });

const body = readBodyTags({ entity_type: '"customer"', entity_id: '"acme"' }).declaration;
const free = adjusted({
  kind: 'free',
  id: 'adj_1',
  effectiveAt: Date.UTC(2026, 9, 1) as TimestampMs,
  dimensions: {
    tags: resolveTags(new Map([['body', body]]), { keyTeam: '' }),
    key: { id: '', name: '', team: '', owner: '' },
    provider: 'openai',
    model: '',
  },
});

test('an adjustment of a call has every dimension and the time of its attempt, and nothing that it used', () => {
  const changed = Object.keys(attempt.fields).filter(
    (field) => JSON.stringify(attempt.fields[field]) !== JSON.stringify(ofCall.fields[field]),
  );
  assert.deepEqual(changed.toSorted(), [
    'billed',
    'charges',
    'computed_cost',
    'corrects',
    'cost',
    'cost_reason',
    'counts_call',
    'entry_id',
    'first_byte_ms',
    'input_tokens',
    'kind',
    'latency_ms',
    'list_cost',
    'meters',
    'output_tokens',
    'posted_at',
    'price_book',
    'reserved',
    'salt',
    'usage_origin',
    'usage_raw',
  ]);
  assert.deepEqual([ofCall.entryId, ofCall.corrects], [`${attempt.callId}.1.adjustment.2`, attempt.entryId]);
});

test('an adjustment of its own has the fields of any other entry, and only what was stated in them', () => {
  assert.deepEqual(Object.keys(free.fields).toSorted(), Object.keys(attempt.fields).toSorted());
  assert.deepEqual(
    [free.entryId, free.corrects, free.tags, free.provider, free.model, free.fields['status'], free.fields['cause']],
    ['adj_1.1.adjustment.1', '', { customer: 'acme' }, 'openai', '', '', ''],
  );
});

test('what it moves is signed, what it does not move is a known zero, and it says who moved it and why', () => {
  for (const entry of [ofCall, free]) {
    assert.deepEqual([entry.cost, entry.billed, entry.listCost, entry.computedCost], [-7n, -7n, 0n, null]);
    assert.deepEqual(movedBy(entry), { amount: -7n, moves: ['cost', 'billed'] });
    assert.deepEqual(statementOf(entry.usageRaw), STATEMENT);
  }
});

test('what an entry stands at does not contain it', () => {
  assert.throws(() => standingOf(attempt, [free]));
  assert.equal(standingOf(attempt, []).cost, 100n);
});
