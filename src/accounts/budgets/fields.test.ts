import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBudgetDuration, type Condition, type Scope, type Values, type Window } from '#budgets';
import { formatUsd, picoUsd } from '#terms';
import { parseScope, scopeWords, toScopeFields } from './scope-fields.ts';
import { usdField } from './usd-fields.ts';
import { parseWindow, toWindowFields } from './window-fields.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);

const values = fc.oneof(
  name.map((value): Values => ({ kind: 'is', value })),
  fc.constantFrom<Values>({ kind: 'each' }, { kind: 'unlisted' }, { kind: 'none' }),
);

const fields = fc
  .constantFrom('key', 'team', 'owner', 'model', 'provider', 'route')
  .chain((on) => values.map((one): Condition => ({ on, values: one })));

const dimensions = fc.record({ key: name, values }).map((one): Condition => ({ on: 'dimension', ...one }));

const labels = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((segments): Condition => ({ on: 'label', label: segments.join('/') }));

/** Of each field and each tag one condition, as a call has one value of it. */
const scopes = fc.uniqueArray(fc.oneof(fields, dimensions, labels), {
  maxLength: 6,
  selector: (one) => (one.on === 'label' ? one.label : one.on === 'dimension' ? `tags.${one.key}` : one.on),
});

function sorted(scope: Scope): readonly string[] {
  return scope.map((one) => JSON.stringify(one)).toSorted((left, right) => (left < right ? -1 : 1));
}

test('a scope that is written down is read as the same scope', () => {
  fc.assert(
    fc.property(scopes, (scope) => {
      assert.deepEqual(sorted(parseScope(toScopeFields(scope))), sorted(scope));
    }),
  );
});

const zone = fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/St_Johns');
const lengthMs = fc.integer({ min: 1, max: 1_000_000 }).map((seconds) => seconds * 1000);

const windows: fc.Arbitrary<Window> = fc.oneof(
  zone.map((one): Window => ({ kind: 'hour', zone: one })),
  fc.record({ kind: fc.constant('day'), count: fc.integer({ min: 1, max: 90 }), zone }),
  fc.record({ kind: fc.constant('week'), startsOn: fc.integer({ min: 1, max: 7 }), zone }),
  fc.record({
    kind: fc.constant('month'),
    count: fc.integer({ min: 1, max: 24 }),
    startsOn: fc.integer({ min: 1, max: 31 }),
    zone,
  }),
  fc.record({ kind: fc.constant('year'), startsOnMonth: fc.integer({ min: 1, max: 12 }), zone }),
  fc.record({ kind: fc.constantFrom('fixed', 'rolling'), lengthMs }),
  fc.constant<Window>({ kind: 'total' }),
);

test('a window that is written down is read as the same window', () => {
  fc.assert(
    fc.property(windows, (window) => {
      assert.deepEqual(parseWindow(toWindowFields(window)), { ...window });
    }),
  );
});

for (const text of ['1d', '7d', '30d', '1mo', '30m', '36h', '1y']) {
  test(`the window "${text}" is LiteLLM’s`, () => {
    assert.deepEqual(parseWindow(text), parseBudgetDuration(text, 'UTC'));
  });
}

test('dollars are read as they are written, from text and from numbers, to the last digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n - 1n }), (pico) => {
      const text = formatUsd(picoUsd(pico));
      assert.equal(usdField.parse(text), text);
    }),
  );
  for (const [given, read] of [
    [0.1, '0.1'],
    [10, '10'],
    [1e-7, '0.0000001'],
    [0.000000000001, '0.000000000001'],
    [123456.78, '123456.78'],
    ['007.50', '7.5'],
  ] as const) {
    assert.equal(usdField.parse(given), read);
  }
  for (const given of [-1, 1e21, Number.NaN, '1e3', '1,5', '', '.5', '0.0000000000001', null, true]) {
    assert.equal(usdField.safeParse(given).success, false, String(given));
  }
});

test('a scope without a name is named by its words', () => {
  assert.equal(scopeWords([]), 'All calls');
  assert.equal(
    scopeWords(parseScope({ 'tags.customer': { each: true }, model: 'gpt-5', label: 'US/California' })),
    'each customer, model=gpt-5, US/California',
  );
});
