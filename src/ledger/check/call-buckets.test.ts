import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { CallBuckets } from './call-buckets.ts';
import type { CallEntry } from './call-entries.ts';

const CALLS = 300;

function entryOf(call: number, seq: number): CallEntry {
  return {
    seq,
    entryId: call % 7 === 0 ? `odd\n"${call}"` : `call_${call}.1.attempt.${seq}`,
    kind: 'attempt',
    attempt: 1,
    countsCall: 1,
    state: 'exact',
    resolves: '',
    cost: call % 3 === 0 ? null : 12_345_678_901_234_567_890n,
    movedCost: -1n,
    computedCost: null,
    lines: 0n,
    hasTerms: call % 2 === 0,
  };
}

test('entries come back by call and in their order, held in memory or spilt, and no file is left behind', () => {
  const spills = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('apportion-calls-')).length;
  const before = spills();
  for (const held of [Number.MAX_SAFE_INTEGER, 5_000, 0]) {
    const buckets = new CallBuckets(held);
    const expected = new Map<number, CallEntry[]>();
    for (let seq = 1; seq <= CALLS * 3; seq += 1) {
      const call = (seq * 31) % CALLS;
      const entry = entryOf(call, seq);
      buckets.add(`call_${call}`, entry);
      expected.set(call, [...(expected.get(call) ?? []), entry]);
    }
    assert.equal(buckets.spilt > 0, held < 10_000);
    const bySeq = (left: readonly CallEntry[], right: readonly CallEntry[]): number =>
      (left[0]?.seq ?? 0) - (right[0]?.seq ?? 0);
    assert.deepEqual([...buckets.calls()].toSorted(bySeq), [...expected.values()].toSorted(bySeq));
    buckets.close();
  }
  assert.equal(spills(), before);
});
