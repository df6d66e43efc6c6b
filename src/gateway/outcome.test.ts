import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerFacts } from '#wires';
import type { Answer } from './answer.ts';
import { outcomeOf } from './outcome.ts';
import type { Relayed } from './relay.ts';

const FACTS: AnswerFacts = { id: '', model: '', usage: null, outputText: '', outputCharsBeyond: 0, failed: false };

function answer(progress: 'begun' | 'held'): Answer {
  return {
    data: () => undefined,
    complete: () => false,
    facts: () => FACTS,
    finish: () => undefined,
    fail: () => undefined,
    begun: () => progress === 'begun',
  };
}

function relayed(changes: Partial<Relayed>): Relayed {
  return {
    end: { kind: 'complete' },
    httpStatus: 200,
    answer: answer('held'),
    facts: FACTS,
    firstByteMs: 1,
    ...changes,
  };
}

const BROKEN = { kind: 'broken', error: new Error('cut') } as const;

test('nothing was sent, nothing is billed', () => {
  const end = { kind: 'unreachable', error: new Error('refused') } as const;
  assert.equal(outcomeOf(relayed({ end, httpStatus: 0, answer: null })).billing, 'free');
});

for (const status of [301, 400, 401, 429, 500, 503, 529]) {
  test(`a provider's own ${status} is not billed`, () => {
    assert.deepEqual(outcomeOf(relayed({ httpStatus: status })), {
      status: 'upstream_error',
      errorCode: `http_${status}`,
      billing: 'free',
    });
  });
}

for (const status of [502, 504, 520, 522, 524]) {
  test(`a proxy's ${status} says nothing of what the provider did: the money is at risk, not zero`, () => {
    assert.equal(outcomeOf(relayed({ httpStatus: status })).billing, 'unknown');
  });
}

test('an answer lost before it was complete may be billed, one delivered in part is', () => {
  assert.equal(outcomeOf(relayed({ end: BROKEN, httpStatus: 0, answer: null })).billing, 'unknown');
  assert.equal(outcomeOf(relayed({ end: BROKEN })).billing, 'unknown');
  assert.equal(outcomeOf(relayed({ end: BROKEN, answer: answer('begun') })).billing, 'billed');
});
