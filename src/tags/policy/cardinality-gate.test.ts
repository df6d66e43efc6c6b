import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TimestampMs } from '#std';
import { createCardinalityGate } from './cardinality-gate.ts';

const MONDAY = Date.UTC(2026, 10, 2) as TimestampMs;
const TUESDAY = Date.UTC(2026, 10, 3) as TimestampMs;

function claim(
  value: string,
  { name = 'run', now = MONDAY, maxValues = 2 } = {},
): Parameters<ReturnType<typeof createCardinalityGate>['admit']>[0] {
  return { name, value, maxValues, now };
}

test('values up to the cap are admitted, further ones refused, known ones always admitted', () => {
  const gate = createCardinalityGate({ maxKeys: 10 });
  assert.deepEqual(
    ['a', 'b', 'a', 'c', 'd', 'b'].map((value) => gate.admit(claim(value))),
    ['admitted', 'admitted', 'admitted', 'first_refused', 'refused', 'admitted'],
  );
});

test('each key has its own count, and each UTC day begins anew', () => {
  const gate = createCardinalityGate({ maxKeys: 10 });
  for (const value of ['a', 'b', 'c']) gate.admit(claim(value));
  assert.equal(gate.admit(claim('c', { name: 'team:growth:run' })), 'admitted');
  assert.equal(gate.admit(claim('c', { now: (TUESDAY - 1) as TimestampMs })), 'refused');
  assert.equal(gate.admit(claim('c', { now: TUESDAY })), 'admitted');
});

test('a preview gives the verdicts without counting', () => {
  const gate = createCardinalityGate({ maxKeys: 10 });
  gate.admit(claim('a'));
  const preview = gate.preview();
  assert.deepEqual(
    ['a', 'b', 'c'].map((value) => preview.admit(claim(value))),
    ['admitted', 'admitted', 'admitted'],
  );
  gate.admit(claim('b'));
  assert.equal(preview.admit(claim('c')), 'refused');
  assert.equal(preview.admit(claim('c', { now: TUESDAY })), 'admitted');
  assert.equal(gate.admit(claim('c')), 'first_refused');
});

test('beyond the limit of keys the oldest is forgotten, beyond the limit of values nothing new is admitted', () => {
  const keys = createCardinalityGate({ maxKeys: 2 });
  for (const name of ['one', 'two', 'three']) keys.admit(claim('a', { name, maxValues: 1 }));
  assert.equal(keys.admit(claim('b', { name: 'three', maxValues: 1 })), 'first_refused');
  assert.equal(keys.admit(claim('b', { name: 'one', maxValues: 1 })), 'admitted');
  const values = createCardinalityGate({ maxKeys: 10, maxValues: 3 });
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((value) => values.admit(claim(value, { maxValues: 100 }))),
    ['admitted', 'admitted', 'admitted', 'first_refused'],
  );
});

test('F5: a million distinct values stay within the cap', () => {
  const gate = createCardinalityGate({ maxKeys: 10 });
  const verdicts = { admitted: 0, refused: 0, first_refused: 0 };
  for (let n = 0; n < 1_000_000; n += 1) verdicts[gate.admit(claim(`session-${n}`, { maxValues: 1000 }))] += 1;
  assert.deepEqual(verdicts, { admitted: 1000, refused: 998_999, first_refused: 1 });
});
