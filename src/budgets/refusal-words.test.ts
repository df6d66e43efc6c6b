import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZERO_USD } from '#terms';
import { NOON, usd } from './budget.fixture.ts';
import {
  budgetRefusalWords,
  limitRefusalWords,
  rateLimitHeaders,
  type LimitAnswer,
  type LimitStanding,
  type Shortfall,
} from './index.ts';

const SHORT: Shortfall = {
  budgetId: 'b1',
  budgetName: 'Acme',
  ofDeployment: false,
  scope: 'customer=acme',
  reason: 'exceeded',
  spent: usd(4.99),
  reserved: usd(0.02),
  elsewhere: ZERO_USD,
  atRisk: ZERO_USD,
  limit: usd(5),
  needed: usd(0.05),
  windowId: '2026-11-21',
  resetsAt: NOON,
};

const STANDING: LimitStanding = {
  limitId: 'l1',
  limitName: 'Ten a minute',
  ofDeployment: false,
  scope: 'all calls',
  measure: 'requests',
  limit: 10n,
  remaining: 0n,
  resetMs: 360_000,
};

test('B90 a refusal names the budget, spent, held, limit, need and reset, in words and in fields', () => {
  assert.deepEqual(budgetRefusalWords(SHORT), {
    message:
      'Budget "Acme" (customer=acme) is exceeded: 4.99 of 5 USD spent, 0.02 held for running calls; this call needs up to 0.05.',
    hint: 'It resets at 2026-11-21T12:00:00.000Z.',
    fields: {
      budget_id: 'b1',
      budget: 'Acme',
      scope: 'customer=acme',
      reason: 'exceeded',
      spent: '4.99',
      reserved: '0.02',
      elsewhere: '0',
      at_risk: '0',
      limit: '5',
      needed: '0.05',
      window: '2026-11-21',
      resets_at: '2026-11-21T12:00:00.000Z',
    },
  });
});

test('B90 what cannot be bounded or priced is told what to do about it', () => {
  assert.equal(budgetRefusalWords({ ...SHORT, reason: 'unbounded', needed: null }).hint, 'Set max_tokens.');
  assert.match(budgetRefusalWords({ ...SHORT, reason: 'unpriced', needed: null }).message, /known price/);
  assert.equal(budgetRefusalWords({ ...SHORT, resetsAt: null }).hint, 'Ask the operator to raise it.');
});

test('B91 a limit that is reached says how much is left and when to try again, in whole seconds', () => {
  const answer = (given: Partial<Extract<LimitAnswer, { kind: 'refused' }>>): ReturnType<typeof limitRefusalWords> =>
    limitRefusalWords({ kind: 'refused', by: STANDING, needed: 1n, retryAfterMs: 6001, standings: [], ...given });
  assert.deepEqual(answer({}), {
    message: 'Limit "Ten a minute" (all calls) is reached: 10 requests, 0 left.',
    hint: 'Try again in 7 s.',
    fields: {
      limit_id: 'l1',
      limit: 'Ten a minute',
      scope: 'all calls',
      measure: 'requests',
      amount: '10',
      remaining: '0',
      needed: '1',
      retry_after: '7',
    },
  });
  assert.equal(answer({ retryAfterMs: null }).hint, 'Try again when a call has ended.');
  assert.equal(answer({ retryAfterMs: null, needed: 11n }).hint, 'The call is larger than the limit.');
});

test('B92 the rate limit headers are of the limit with the least left, as OpenAI writes them', () => {
  const roomy = { ...STANDING, remaining: 7n };
  const tokens = { ...STANDING, measure: 'tokens', limit: 6000n, remaining: 5n, resetMs: 120 } as const;
  const dollars = { ...STANDING, measure: 'usd' } as const;
  assert.deepEqual(rateLimitHeaders([roomy, STANDING, tokens, dollars]), {
    'x-ratelimit-limit-requests': '10',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '6m0s',
    'x-ratelimit-limit-tokens': '6000',
    'x-ratelimit-remaining-tokens': '5',
    'x-ratelimit-reset-tokens': '120ms',
  });
  assert.deepEqual(rateLimitHeaders([]), {});
});
