import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WatchFigures } from '#analytics';
import type { TimestampMs } from '#std';
import { parseUsd, picoUsd, ZERO_USD, type PicoUsd } from '#terms';
import { judgeCalls, type CallFacts } from './judge-calls.ts';
import { isCallRule, parseRule, type CallRule } from './rule.ts';

const WINDOW = { start: 0 as TimestampMs, end: 1 as TimestampMs };

function rule(body: Readonly<Record<string, unknown>>): CallRule {
  const parsed = parseRule({ name: 'r', ...body });
  assert.ok(isCallRule(parsed));
  return parsed;
}

function usd(text: string): PicoUsd {
  const amount = parseUsd(text);
  assert.ok(amount !== undefined);
  return amount;
}

function figures(value: string, some: Partial<WatchFigures>): WatchFigures {
  const none = { cost: ZERO_USD, billed: ZERO_USD, lacking: ZERO_USD, reported: ZERO_USD, computed: ZERO_USD };
  return { value, ...none, calls: 0, failed: 0, unpriced: 0, ...some };
}

type Given = Partial<Pick<CallFacts, 'figures' | 'before' | 'history'>>;

function over(one: CallRule, given: Given): readonly string[] {
  const facts = { windowId: 'w', window: WINDOW, figures: [], before: [], history: new Map(), ...given };
  return judgeCalls(one, facts).map(({ instance }) => instance);
}

test('spending is over from the first pico-dollar above the limit on', () => {
  const limit = rule({ type: 'spend_over', amount_usd: '10' });
  assert.deepEqual(over(limit, { figures: [figures('', { cost: usd('10') })] }), []);
  assert.deepEqual(over(limit, { figures: [figures('', { cost: usd('10.000000000001') })] }), ['']);
});

test('what is charged on is watched in the place of cost where the rule says so', () => {
  const limit = rule({ type: 'spend_over', amount_usd: '10', of: 'billed' });
  assert.deepEqual(over(limit, { figures: [figures('', { cost: usd('20'), billed: usd('9') })] }), []);
  assert.deepEqual(over(limit, { figures: [figures('', { cost: usd('1'), billed: usd('11') })] }), ['']);
});

test('each customer has the default limit, but for those with one of their own and those left out', () => {
  const each = rule({
    type: 'spend_over',
    amount_usd: '10',
    for_each: 'tags.customer',
    overrides: [
      { value: 'acme', amount_usd: '100' },
      { value: 'tests', off: true },
    ],
  });
  const found = ['acme', 'tests', 'globex', 'initech'].map((value) =>
    figures(value, { cost: usd(value === 'initech' ? '9' : '50') }),
  );
  assert.deepEqual(over(each, { figures: found }), ['globex']);
});

test('an override of a field that the type does not have is refused by its place', () => {
  const body = { type: 'spend_over', amount_usd: '1', for_each: 'model', overrides: [{ value: 'a', percent: 3 }] };
  assert.throws(() => rule(body), { code: 'invalid_field', param: 'overrides.0.percent' });
});

test('a change counts when both the percent and the dollars are reached', () => {
  const up = rule({ type: 'change', percent: 50, minimum_usd: '5' });
  const change = (now: string, before: string): readonly string[] =>
    over(up, { figures: [figures('', { cost: usd(now) })], before: [figures('', { cost: usd(before) })] });
  assert.deepEqual(change('15', '10'), ['']);
  assert.deepEqual(change('14.99', '10'), []);
  assert.deepEqual(change('6', '3'), []);
  assert.deepEqual(change('5', '0'), ['']);
  assert.deepEqual(change('4', '0'), []);
});

test('a value that spends nothing any more is a decrease', () => {
  const down = rule({ type: 'change', direction: 'down', percent: 80, minimum_usd: '1', for_each: 'model' });
  assert.deepEqual(over(down, { before: [figures('gpt', { cost: usd('3') })] }), ['gpt']);
  const both = { figures: [figures('gpt', { cost: usd('1') })], before: [figures('gpt', { cost: usd('3') })] };
  assert.deepEqual(over(down, both), []);
});

test('an hour is unusual above median and deviations of the weeks before, and above the minimum in dollars and percent', () => {
  const anomaly = rule({ type: 'anomaly', minimum_usd: '1', percent: 50, deviations: 5, weeks: 4 });
  // Median 10, absolute deviations 1, 0, 0, 1: their median is 0.5, times 1.4826 times 5 is 3.7065.
  const history = new Map([['', ['9', '10', '10', '11'].map(usd)]]);
  const at = (cost: string): readonly string[] =>
    over(anomaly, { figures: [figures('', { cost: usd(cost) })], history });
  assert.deepEqual(at('13.7'), []);
  assert.deepEqual(at('14.9'), []);
  assert.deepEqual(at('15'), ['']);
  const noisy = new Map([['', ['2', '10', '10', '40'].map(usd)]]);
  assert.deepEqual(over(anomaly, { figures: [figures('', { cost: usd('39') })], history: noisy }), []);
});

test('what was not there weeks ago has nothing usual, so nothing unusual', () => {
  const anomaly = rule({ type: 'anomaly', minimum_usd: '1' });
  assert.deepEqual(over(anomaly, { figures: [figures('', { cost: usd('1000') })] }), []);
});

test('errors count from so many calls on', () => {
  const errors = rule({ type: 'error_rate', percent: 10, calls: 20 });
  assert.deepEqual(over(errors, { figures: [figures('', { calls: 19, failed: 19 })] }), []);
  assert.deepEqual(over(errors, { figures: [figures('', { calls: 20, failed: 2 })] }), ['']);
  assert.deepEqual(over(errors, { figures: [figures('', { calls: 21, failed: 2 })] }), []);
});

test('untagged cost, unpriced attempts and drift are each over their own limit', () => {
  const untagged = rule({ type: 'untagged_share', tag: 'team', percent: 20, minimum_usd: '1' });
  assert.deepEqual(over(untagged, { figures: [figures('', { cost: usd('10'), lacking: usd('2') })] }), ['']);
  assert.deepEqual(over(untagged, { figures: [figures('', { cost: usd('1'), lacking: usd('0.9') })] }), []);
  const unpriced = rule({ type: 'unpriced_calls' });
  assert.deepEqual(over(unpriced, { figures: [figures('', { unpriced: 1 }), figures('x', {})] }), ['']);
  const drift = rule({ type: 'reconciliation_drift', percent: 1, minimum_usd: '0.01' });
  const stated = (reported: string): Given => ({
    figures: [figures('', { reported: usd(reported), computed: usd('10') })],
  });
  assert.deepEqual(over(drift, stated('10.09')), []);
  assert.deepEqual(over(drift, stated('9.9')), ['']);
});

test('whatever is spent, exactly what is above the limit is over', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 10n ** 18n }), (limit, cost) => {
      const one = { ...rule({ type: 'spend_over', amount_usd: '1' }), amount_usd: picoUsd(limit) } as CallRule;
      assert.equal(over(one, { figures: [figures('', { cost: picoUsd(cost) })] }).length === 1, cost > limit);
    }),
  );
});

for (const [body, param] of [
  [{ type: 'spend_ovr', amount_usd: '1' }, 'type'],
  [{ type: 'spend_over', amount_usd: 1 }, 'amount_usd'],
  [{ type: 'spend_over', amount_usd: '-1' }, 'amount_usd'],
  [{ type: 'spend_over', amount_usd: '1', window: 'year' }, 'window'],
  [{ type: 'spend_over', amount_usd: '1', timezone: '+02:00' }, 'timezone'],
  [{ type: 'spend_over', amount_usd: '1', budgets: ['b'] }, 'budgets'],
  [{ type: 'spend_over', amount_usd: '1', for_each: 'label' }, 'for_each'],
  [{ type: 'spend_over', amount_usd: '1', scope: { modle: 'x' } }, 'modle'],
  [{ type: 'spend_over', amount_usd: '1', overrides: [{ value: 'x' }] }, 'overrides'],
  [{ type: 'untagged_share', tag: 'a b', percent: 1, minimum_usd: '0' }, 'tag'],
  [{ type: 'budget_threshold', percents: [0] }, 'percents.0'],
] as const) {
  test(`a rule with a wrong ${param} is refused by its name: ${JSON.stringify(body)}`, () => {
    assert.throws(() => parseRule({ name: 'r', ...body }), { param });
  });
}
