import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TagSet, type TagSource } from '#terms';
import { readBodyTags } from './body.ts';
import { type TagDeclaration } from './declaration.ts';
import { readDefaultTags } from './default-tags.ts';
import { readHeaderTags } from './headers.ts';
import { resolveTags } from './resolve.ts';
import { compileTagRules, DEFAULT_TAG_RULES } from './rules.ts';

function body(fields: Record<string, unknown>): TagDeclaration {
  return readBodyTags(Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)])))
    .declaration;
}

function list(...tags: string[]): TagDeclaration {
  return readDefaultTags({ tags });
}

function resolve(sources: Partial<Record<TagSource, TagDeclaration>>, keyTeam = ''): TagSet {
  const map = new Map<TagSource, TagDeclaration>();
  // Weakest first: what wins must not depend on the order of the map.
  for (const source of [
    'deployment_default',
    'team_default',
    'key_default',
    'header',
    'body',
    'team_lock',
    'key_lock',
  ] as const) {
    const declaration = sources[source];
    if (declaration !== undefined) map.set(source, declaration);
  }
  return resolveTags(map, { keyTeam });
}

function valuesOf(tags: TagSet): Record<string, string> {
  return Object.fromEntries(Array.from(tags.dimensions, ([key, { value }]) => [key, value]));
}

test('a call without tags has none, and counts for the team its key proves', () => {
  const empty = {
    sessionId: null,
    sessionPath: null,
    traceId: null,
    overflow: new Map(),
    labels: [],
    paths: [],
    conflicts: [],
    sent: [],
    warnings: [],
  };
  assert.deepEqual(resolve({}), { ...empty, entity: null, dimensions: new Map() });
  assert.deepEqual(resolve({}, 'core'), {
    ...empty,
    entity: { type: 'team', id: 'core' },
    dimensions: new Map([['team', { value: 'core', provenance: 'default' }]]),
  });
});

test('locks beat the body, the body beats headers, headers beat defaults, and losers are kept', () => {
  const tags = resolve({
    key_lock: list('env:locked'),
    body: list('env:body', 'team:body'),
    header: list('team:header', 'region:header'),
    key_default: list('region:key', 'plan:key'),
    team_default: list('plan:team', 'tier:team'),
    deployment_default: list('tier:deployment', 'zone:deployment'),
  });
  assert.deepEqual(
    tags.dimensions,
    new Map([
      ['env', { value: 'locked', provenance: 'locked' }],
      ['team', { value: 'body', provenance: 'declared' }],
      ['region', { value: 'header', provenance: 'declared' }],
      ['plan', { value: 'key', provenance: 'default' }],
      ['tier', { value: 'team', provenance: 'default' }],
      ['zone', { value: 'deployment', provenance: 'default' }],
    ]),
  );
  assert.deepEqual(tags.conflicts, [
    { key: 'env', value: 'body', source: 'body' },
    { key: 'team', value: 'header', source: 'header' },
    { key: 'region', value: 'key', source: 'key_default' },
    { key: 'plan', value: 'team', source: 'team_default' },
    { key: 'tier', value: 'deployment', source: 'deployment_default' },
  ]);
  assert.deepEqual(tags.warnings, ['env is locked by the key or its team; the declared value was not used']);
});

test('a weaker source that agrees is no conflict', () => {
  assert.deepEqual(resolve({ body: list('env:prod'), key_default: list('env:prod') }).conflicts, []);
});

test('two values in one source make the dimension (multiple), whatever their order', () => {
  const one = resolve({ body: list('env:prod', 'env:dev') });
  const other = resolve({ body: list('env:dev', 'env:prod') });
  assert.deepEqual(valuesOf(one), { env: '(multiple)' });
  assert.deepEqual(one.conflicts, [
    { key: 'env', value: 'dev', source: 'body' },
    { key: 'env', value: 'prod', source: 'body' },
  ]);
  assert.deepEqual({ ...one, sent: [] }, { ...other, sent: [] });
});

test('two values in a weaker source do not blur a stronger one', () => {
  assert.deepEqual(valuesOf(resolve({ body: list('env:prod'), key_default: list('env:a', 'env:b') })), { env: 'prod' });
});

test('the entity parameter sets its dimension and beats a tag of the same request', () => {
  const tags = resolve({
    body: body({ entity_type: 'customer', entity_id: 'acme', tags: { customer: 'zeta', team: 'support' } }),
  });
  assert.deepEqual(tags.entity, { type: 'customer', id: 'acme' });
  assert.deepEqual(valuesOf(tags), { customer: 'acme', team: 'support' });
  assert.deepEqual(tags.conflicts, [{ key: 'customer', value: 'zeta', source: 'body' }]);
  assert.deepEqual(tags.warnings, []);
});

test('a locked customer is the entity even if the request declares another one', () => {
  const tags = resolve({
    key_lock: list('customer:owned'),
    body: body({ entity_type: 'customer', entity_id: 'other' }),
  });
  assert.deepEqual(tags.entity, { type: 'customer', id: 'owned' });
  assert.deepEqual(tags.conflicts, [{ key: 'customer', value: 'other', source: 'body' }]);
});

test('without a pair the first of customer, project, team, employee is the entity, stated before default', () => {
  assert.deepEqual(resolve({ body: list('employee:e', 'team:t', 'project:p') }).entity, { type: 'project', id: 'p' });
  assert.deepEqual(resolve({ body: list('employee:e'), key_default: list('customer:c') }).entity, {
    type: 'employee',
    id: 'e',
  });
  assert.deepEqual(resolve({ key_default: list('customer:c') }, 'core').entity, { type: 'customer', id: 'c' });
});

test('a declared team leaves the key team alone, which is proven elsewhere', () => {
  const tags = resolve({ body: list('team:growth') }, 'core');
  assert.deepEqual(tags.dimensions.get('team'), { value: 'growth', provenance: 'declared' });
  assert.deepEqual(tags.conflicts, []);
});

test('labels and paths of all sources are united, the caller first', () => {
  const tags = resolve({ body: list('b', 'US/CA', 'x:1'), key_lock: list('a'), key_default: list('b', 'c', 'US//CA') });
  assert.deepEqual([tags.labels, tags.paths], [['b', 'a', 'c'], ['US/CA']]);
  assert.deepEqual(tags.sent, ['b', 'US/CA', 'x:1', 'a', 'c', 'US//CA']);
});

test('the strongest session id counts and others stay as conflicts', () => {
  const tags = resolve({ body: body({ session_id: 'a', litellm_session_id: 'b' }), header: body({ session_id: 'c' }) });
  assert.equal(tags.sessionId, 'a');
  assert.deepEqual(tags.conflicts, [
    { key: 'session_id', value: 'b', source: 'body' },
    { key: 'session_id', value: 'c', source: 'header' },
  ]);
});

test('C7, F2: a lock of the key beats the lock of its team, and both beat the caller, who is warned', () => {
  const tags = resolve({
    key_lock: list('team:growth'),
    team_lock: list('team:core', 'env:prod'),
    body: body({ tags: { env: 'dev', feature: 'x' }, entity_type: 'team', entity_id: 'rich' }),
    key_default: list('beta'),
  });
  assert.deepEqual(valuesOf(tags), { team: 'growth', env: 'prod', feature: 'x' });
  assert.deepEqual(tags.entity, { type: 'team', id: 'growth' });
  assert.deepEqual(tags.labels, ['beta']);
  assert.deepEqual(tags.conflicts, [
    { key: 'team', value: 'core', source: 'team_lock' },
    { key: 'team', value: 'rich', source: 'body' },
    { key: 'env', value: 'dev', source: 'body' },
  ]);
  assert.deepEqual(tags.warnings, [
    'team is locked by the key or its team; the declared value was not used',
    'env is locked by the key or its team; the declared value was not used',
  ]);
});

test('an end user is the customer where nobody declares one', () => {
  const tags = resolve({ body: body({ user: 'alice' }) });
  assert.deepEqual(valuesOf(tags), { end_user: 'alice', customer: 'alice' });
  assert.deepEqual(tags.entity, { type: 'customer', id: 'alice' });
  assert.equal(tags.dimensions.get('customer')?.provenance, 'declared');
});

test('a declared or locked customer is not touched by the end user; a default one is', () => {
  const alice = body({ user: 'alice' });
  const acme = list('customer:acme');
  assert.deepEqual(valuesOf(resolve({ body: alice, header: acme })), { customer: 'acme', end_user: 'alice' });
  assert.deepEqual(valuesOf(resolve({ body: alice, key_lock: acme })), { customer: 'acme', end_user: 'alice' });
  assert.deepEqual(resolve({ body: alice, key_lock: acme }).conflicts, []);
  const over = resolve({ body: alice, key_default: acme });
  assert.deepEqual(valuesOf(over), { customer: 'alice', end_user: 'alice' });
  assert.deepEqual(over.conflicts, [{ key: 'customer', value: 'acme', source: 'key_default' }]);
});

test('an operator can keep end users apart from customers', () => {
  const rules = compileTagRules({ endUserAs: 'end_user' });
  const sources = new Map<TagSource, TagDeclaration>([['body', body({ user: 'alice' })]]);
  assert.deepEqual(valuesOf(resolveTags(sources, { keyTeam: '', rules })), { end_user: 'alice' });
});

test('of several end users the first in the order of LiteLLM counts, headers before the body', () => {
  const tags = resolve({
    body: body({ user: 'bob', safety_identifier: 'hash' }),
    header: readHeaderTags({ 'x-litellm-end-user-id': 'alice' }, DEFAULT_TAG_RULES),
  });
  assert.deepEqual(valuesOf(tags), { end_user: 'alice', customer: 'alice' });
  assert.deepEqual(tags.conflicts, [
    { key: 'end_user', value: 'bob', source: 'body' },
    { key: 'end_user', value: 'hash', source: 'body' },
  ]);
});

test('an end_user tag beats the fields that only imply one', () => {
  const tags = resolve({ body: body({ user: 'alice', tags: { end_user: 'u-1' } }) });
  assert.deepEqual(valuesOf(tags), { end_user: 'u-1', customer: 'u-1' });
  assert.deepEqual(tags.conflicts, [{ key: 'end_user', value: 'alice', source: 'body' }]);
});

test('C14: a hundred end users interleaved on one key are a hundred customers', () => {
  const inherited = list('team:core');
  const seen = Array.from({ length: 100 }, (_, n) => {
    const sources = { body: body({ user: `u-${n}` }), key_default: inherited };
    return resolve(sources).entity?.id;
  });
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, n) => `u-${n}`),
  );
});

test('a call without a session belongs to the session of its trace; its step is kept', () => {
  const traced = readHeaderTags({ 'x-trace-id': 't-1', 'x-span-name': 'plan' }, DEFAULT_TAG_RULES);
  const { sessionId, sessionPath, traceId, conflicts } = resolve({ header: traced });
  assert.deepEqual(
    { sessionId, sessionPath, traceId, conflicts },
    {
      sessionId: 't-1',
      sessionPath: 'plan',
      traceId: 't-1',
      conflicts: [],
    },
  );
  const both = resolve({ body: body({ session_id: 's-1', session_path: 'run/plan' }), header: traced });
  assert.deepEqual([both.sessionId, both.sessionPath, both.traceId], ['s-1', 'run/plan', 't-1']);
  assert.deepEqual(both.conflicts, [{ key: 'session_path', value: 'plan', source: 'header' }]);
});

test('an operator-defined entity type can be the primary entity, after the four', () => {
  const rules = compileTagRules({ entityTypes: ['workspace'] });
  const sources = new Map<TagSource, TagDeclaration>([['body', list('workspace:w-1')]]);
  assert.deepEqual(resolveTags(sources, { keyTeam: '', rules }).entity, { type: 'workspace', id: 'w-1' });
  sources.set('header', list('employee:e'));
  assert.deepEqual(resolveTags(sources, { keyTeam: '', rules }).entity, { type: 'employee', id: 'e' });
  assert.equal(resolveTags(new Map([['body', list('workspace:w-1')]]), { keyTeam: '' }).entity, null);
});

test('the limit of 64 tags holds over all headers together', () => {
  const many = (prefix: string) => Array.from({ length: 40 }, (_, n) => `${prefix}${n}`).join(',');
  const header = readHeaderTags({ 'x-apportion-tags': many('a'), 'x-litellm-tags': many('b') }, DEFAULT_TAG_RULES);
  assert.throws(() => resolve({ header }), { code: 'tag_limit_exceeded', param: 'tags' });
});

test('the limit of 64 tags holds for all sources together; the entity pair is none', () => {
  const numbered = (prefix: string, count: number) =>
    list(...Array.from({ length: count }, (_, index) => `${prefix}${index}:x`));
  const full = { ...numbered('a', 40), entity: { type: 'customer', id: 'acme' } };
  assert.equal(resolve({ body: full, key_default: numbered('b', 24) }, 'core').dimensions.size, 66);
  assert.throws(() => resolve({ body: full, key_default: numbered('b', 25) }), {
    code: 'tag_limit_exceeded',
    param: 'tags',
  });
});

test('default tags of a key may be an object', () => {
  assert.deepEqual(valuesOf(resolve({ key_default: readDefaultTags({ tags: { team: 'core', v: 2 } }) })), {
    team: 'core',
    v: '2',
  });
  for (const metadata of [undefined, null, 'x', {}, { tags: null }]) {
    assert.deepEqual(resolve({ key_default: readDefaultTags(metadata) }).sent, []);
  }
});

const tagText = fc.oneof(
  fc
    .tuple(fc.constantFrom('env', 'team', 'customer', 'x'), fc.constantFrom('a', 'b', 'c'))
    .map(([key, value]) => `${key}:${value}`),
  fc.constantFrom('beta', 'asia', 'US/CA', 'US/NY', ' US / CA ', '/beta/'),
);

test('the order of tags changes no dimension, entity, conflict or set', () => {
  const shuffled = fc
    .array(tagText, { maxLength: 12 })
    .chain((tags) =>
      fc.tuple(fc.constant(tags), fc.shuffledSubarray(tags, { minLength: tags.length, maxLength: tags.length })),
    );
  const sorted = (tags: TagSet) => ({
    entity: tags.entity,
    dimensions: Array.from(tags.dimensions, ([key, dimension]) => `${key}=${dimension.value}`).toSorted(),
    conflicts: tags.conflicts.map(({ key, value }) => `${key}:${value}`).toSorted(),
    labels: tags.labels.toSorted(),
    paths: tags.paths.toSorted(),
  });
  fc.assert(
    fc.property(shuffled, fc.array(tagText, { maxLength: 6 }), ([tags, other], defaults) => {
      const inherited = list(...defaults);
      assert.deepEqual(
        sorted(resolve({ body: list(...tags), key_default: inherited })),
        sorted(resolve({ body: list(...other), key_default: inherited })),
      );
    }),
  );
});

test('the labels and paths of a call are sets, and each dimension has one value that some source gave', () => {
  fc.assert(
    fc.property(fc.array(tagText), fc.array(tagText), (tags, defaults) => {
      const set = resolve({ body: list(...tags), key_default: list(...defaults) });
      for (const values of [set.labels, set.paths, set.sent]) assert.equal(new Set(values).size, values.length);
      const given = new Set([...tags, ...defaults]);
      for (const [key, { value }] of set.dimensions) assert.ok(value === '(multiple)' || given.has(`${key}:${value}`));
    }),
  );
});
