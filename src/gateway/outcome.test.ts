import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FACTS, type AnswerFacts } from '#wires';
import type { Answer } from './answer.ts';
import { outcomeOf as outcome, verdictOf } from './outcome.ts';
import type { Relayed } from './relay.ts';

const FACTS: AnswerFacts = NO_FACTS;

const outcomeOf = (one: Relayed) => outcome(one, 'abort');

function answer(progress: 'begun' | 'held'): Answer {
  return {
    data: () => undefined,
    complete: () => false,
    facts: () => FACTS,
    finish: () => undefined,
    fail: () => undefined,
    begun: () => progress === 'begun',
    mentions: () => false,
    held: () => null,
  };
}

function relayed(changes: Partial<Relayed>): Relayed {
  return {
    end: { kind: 'complete' },
    httpStatus: 200,
    answer: answer('held'),
    facts: FACTS,
    firstByteMs: 1,
    retryAfterMs: null,
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

test('a receipt for work that goes on is no lost answer, costs what nobody knows yet, and is never sent twice', () => {
  const receipt = relayed({ facts: { ...FACTS, unfinished: true } });
  const came = outcomeOf(receipt);
  assert.deepEqual(came, { status: 'ok', errorCode: '', billing: 'unknown' });
  assert.equal(verdictOf({ relayed: receipt, outcome: came }, 'retry').worthAnother, false);
});

test('an answer lost before it was complete may be billed, one delivered in part is', () => {
  assert.equal(outcomeOf(relayed({ end: BROKEN, httpStatus: 0, answer: null })).billing, 'unknown');
  assert.equal(outcomeOf(relayed({ end: BROKEN })).billing, 'unknown');
  assert.equal(outcomeOf(relayed({ end: BROKEN, answer: answer('begun') })).billing, 'billed');
});

test('a stream given up before it answered is free where the provider stops with us, else in doubt', () => {
  const gone = relayed({ end: { kind: 'abandoned' }, httpStatus: 0, answer: null });
  assert.equal(outcome(gone, 'abort').billing, 'given_up');
  assert.equal(outcome(gone, 'drain').billing, 'unknown');
});

test('an error inside an answer is free before any output, and billed for what was written after', () => {
  const failed = { ...FACTS, failed: true };
  assert.equal(outcomeOf(relayed({ facts: failed, answer: answer('begun') })).billing, 'free');
  const wrote = { ...failed, outputText: 'half' };
  assert.equal(outcomeOf(relayed({ facts: wrote, answer: answer('begun') })).billing, 'billed');
});

const verdict = (changes: Partial<Relayed>, whenUnknown: 'stop' | 'retry' = 'stop') => {
  const one = relayed(changes);
  return verdictOf({ relayed: one, outcome: outcomeOf(one) }, whenUnknown);
};

test('only what cannot have been billed is followed by another attempt', () => {
  assert.equal(verdict({ httpStatus: 429 }).worthAnother, true);
  assert.equal(verdict({ httpStatus: 503 }).worthAnother, true);
  assert.equal(verdict({ httpStatus: 400 }).worthAnother, false);
  assert.equal(verdict({}).worthAnother, false);
  assert.equal(verdict({ end: BROKEN, httpStatus: 0, answer: null }).worthAnother, false);
  assert.equal(verdict({ httpStatus: 504 }).worthAnother, false);
});

test('an attempt of unknown cost is followed by another only if paying twice is accepted', () => {
  assert.equal(verdict({ end: BROKEN, httpStatus: 0, answer: null }, 'retry').worthAnother, true);
  assert.equal(verdict({ httpStatus: 504 }, 'retry').worthAnother, true);
  assert.equal(verdict({ end: BROKEN, answer: answer('begun') }, 'retry').worthAnother, false);
});

test('a refused key or model is tried at another deployment, and not again at this one', () => {
  assert.deepEqual(verdict({ httpStatus: 404 }), { worthAnother: true, passing: false, retryAfterMs: null });
  assert.deepEqual(verdict({ httpStatus: 429, retryAfterMs: 50 }), {
    worthAnother: true,
    passing: true,
    retryAfterMs: 50,
  });
});
