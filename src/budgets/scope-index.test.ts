import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, budget, call, DAY, NOON } from './budget.fixture.ts';
import { budgetSeriesKey, type Budget } from './budget.ts';
import { ScopeIndex } from './scope-index.ts';
import { type Condition, type Counts, type ScopedCall, type Values } from './scope.ts';

const is = (value: string): Values => ({ kind: 'is', value });
const each: Values = { kind: 'each' };
const none: Values = { kind: 'none' };
const unlisted: Values = { kind: 'unlisted' };

type Short = { readonly scope: readonly Condition[]; readonly counts?: Counts } & Partial<Budget>;

/** Which of the budgets take the call, with the values of their wildcards. */
function found(budgets: Readonly<Record<string, Short>>, one: ScopedCall, at = NOON): readonly string[] {
  const index = new ScopeIndex(
    Object.entries(budgets).map(([id, given]) => budget({ id, ...given })),
    budgetSeriesKey,
  );
  return index
    .matching(one)
    .flatMap(({ series, instance }) => index.rulesFor(series, one, at).map(({ id }) => [id, ...instance].join(' ')))
    .toSorted();
}

test('B10 a scope takes calls by key, team, owner, model, provider and route', () => {
  const one = call({ key: 'k', team: 't', owner: 'o', model: 'm', provider: 'p', route: 'r' });
  const named = { key: 'k', team: 't', owner: 'o', model: 'm', provider: 'p', route: 'r' } as const;
  for (const [on, value] of Object.entries(named)) {
    const field = on as keyof typeof named;
    assert.deepEqual(
      found(
        { hit: { scope: [{ on: field, values: is(value) }] }, miss: { scope: [{ on: field, values: is('x') }] } },
        one,
      ),
      ['hit'],
    );
    assert.deepEqual(found({ every: { scope: [{ on: field, values: each }] } }, one), [`every ${value}`]);
    assert.deepEqual(found({ without: { scope: [{ on: field, values: none }] } }, one), []);
  }
});

test('B10 all conditions of a scope hold; no condition is every call', () => {
  const scope: readonly Condition[] = [
    { on: 'team', values: is('growth') },
    { on: 'dimension', key: 'env', values: is('prod') },
  ];
  assert.deepEqual(found({ both: { scope }, all: { scope: [] } }, call({ tags: { env: 'prod' } })), ['all', 'both']);
  assert.deepEqual(found({ both: { scope }, all: { scope: [] } }, call({ tags: { env: 'dev' } })), ['all']);
  assert.deepEqual(found({ both: { scope } }, call({ team: 'core', tags: { env: 'prod' } })), []);
});

test('B11 a wildcard takes each value by itself, and several wildcards each combination', () => {
  const scope: readonly Condition[] = [
    { on: 'dimension', key: 'customer', values: each },
    { on: 'model', values: each },
  ];
  assert.deepEqual(found({ b: { scope } }, call({ tags: { customer: 'acme' } })), ['b acme gpt-5']);
  assert.deepEqual(found({ b: { scope } }, call()), []);
});

test('B12 an entity is the dimension of its type, however it was set', () => {
  const scope: readonly Condition[] = [{ on: 'entity', type: 'customer', values: is('acme') }];
  assert.deepEqual(found({ b: { scope } }, call({ tags: { customer: 'acme' } })), ['b']);
});

test('B13 values, labels and paths take what is below them by whole segments, each series once', () => {
  const team: readonly Condition[] = [{ on: 'dimension', key: 'team', values: is('eng') }];
  const us: readonly Condition[] = [{ on: 'label', label: 'US' }];
  const california: readonly Condition[] = [{ on: 'label', label: 'US/California' }];
  assert.deepEqual(found({ team: { scope: team } }, call({ tags: { team: 'eng/search' } })), ['team']);
  assert.deepEqual(found({ team: { scope: team } }, call({ tags: { team: 'engine' } })), []);
  const budgets = { us: { scope: us }, california: { scope: california } };
  assert.deepEqual(found(budgets, call({ paths: ['US/California/SF', 'US/California', 'US/Texas'] })), [
    'california',
    'us',
  ]);
  assert.deepEqual(found(budgets, call({ labels: ['US'] })), ['us']);
  assert.deepEqual(found(budgets, call({ paths: ['USA/California'] })), []);
});

test('B14 a tag that does not count is as good as absent', () => {
  const scope: readonly Condition[] = [{ on: 'dimension', key: 'customer', values: each }];
  const without: readonly Condition[] = [{ on: 'dimension', key: 'customer', values: none }];
  const budgets = {
    declared: { scope, counts: 'declared' },
    proven: { scope, counts: 'proven' },
    locked: { scope, counts: 'locked' },
    none: { scope: without, counts: 'locked' },
  } as const;
  const acme = { tags: { customer: 'acme' } };
  assert.deepEqual(found(budgets, call({ ...acme, provenance: 'declared' })), ['declared acme', 'none']);
  assert.deepEqual(found(budgets, call({ ...acme, provenance: 'default' })), ['declared acme', 'none', 'proven acme']);
  assert.deepEqual(found(budgets, call({ ...acme, provenance: 'locked' })), [
    'declared acme',
    'locked acme',
    'proven acme',
  ]);
  assert.deepEqual(found(budgets, call()), ['none']);
});

test('B14 a label proves nothing: only a budget that counts what is declared looks at it', () => {
  const scope: readonly Condition[] = [{ on: 'label', label: 'beta' }];
  assert.deepEqual(found({ yes: { scope }, no: { scope, counts: 'locked' } }, call({ labels: ['beta'] })), ['yes']);
});

test('B15 a default gives way to a budget for the very value, and to no other', () => {
  const customer = (values: Values): readonly Condition[] => [{ on: 'dimension', key: 'customer', values }];
  const budgets = {
    rest: { scope: customer(unlisted) },
    acme: { scope: customer(is('acme')) },
    zeta: { scope: [...customer(is('zeta')), { on: 'model', values: is('gpt-5') }] },
  } as const;
  assert.deepEqual(found(budgets, call({ tags: { customer: 'acme' } })), ['acme']);
  assert.deepEqual(found(budgets, call({ tags: { customer: 'globex' } })), ['rest globex']);
  assert.deepEqual(found(budgets, call({ tags: { customer: 'zeta' } })), ['rest zeta', 'zeta']);
  assert.deepEqual(found(budgets, call()), []);
  const past = { ...budgets, acme: { ...budgets.acme, effectiveTo: NOON } };
  assert.deepEqual(found(past, call({ tags: { customer: 'acme' } })), ['rest acme']);
  const locked = { ...budgets, acme: { ...budgets.acme, counts: 'locked' as const } };
  assert.deepEqual(found(locked, call({ tags: { customer: 'acme' } })), ['rest acme']);
});

test('B16 a budget is in force from its first date on, up to its last, exclusive', () => {
  const dated = { b: { scope: [], effectiveFrom: NOON, effectiveTo: after(DAY) } };
  const days = [-1, 0, DAY - 1, DAY].map((ms) => found(dated, call(), after(ms)).length);
  assert.deepEqual(days, [0, 1, 1, 0]);
});
