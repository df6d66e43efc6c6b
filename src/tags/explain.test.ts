import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TagSource } from '#terms';
import { readBodyTags } from './body.ts';
import type { TagDeclaration } from './declaration.ts';
import { readDefaultTags } from './default-tags.ts';
import { explainTags } from './explain.ts';
import { readHeaderTags } from './headers.ts';
import { resolveTags } from './resolve.ts';
import { compileTagRules, DEFAULT_TAG_RULES } from './rules.ts';

function explain(sources: Partial<Record<TagSource, TagDeclaration>>, keyTeam = '') {
  const map = new Map<TagSource, TagDeclaration>();
  for (const source of ['body', 'header', 'key_lock', 'key_default'] as const) {
    const declaration = sources[source];
    if (declaration !== undefined) map.set(source, declaration);
  }
  return explainTags(map, resolveTags(map, { keyTeam }));
}

test('an explanation says for every tag where it came from and what lost', () => {
  const explained = explain(
    {
      key_lock: readDefaultTags({ tags: ['env:prod'] }),
      body: readBodyTags({ tags: '["env:dev","feature:x","beta"]', user: '"alice"', session_id: '"s-1"' }).declaration,
      header: readHeaderTags(
        { 'x-apportion-tags': 'feature=y, US/CA', 'helicone-property-tier': 'gold', 'helicone-session-path': '/a/b' },
        DEFAULT_TAG_RULES,
      ),
      key_default: readDefaultTags({ tags: ['beta', 'plan:free'] }),
    },
    'core',
  );
  assert.deepEqual(explained, {
    entity: { type: 'customer', id: 'alice' },
    session_id: 's-1',
    session_path: 'a/b',
    trace_id: null,
    dimensions: [
      row('env', 'prod', 'locked', 'key_lock', [{ value: 'dev', source: 'body' }]),
      row('feature', 'x', 'declared', 'body', [{ value: 'y', source: 'header' }]),
      row('tier', 'gold', 'declared', 'header'),
      row('end_user', 'alice', 'declared', 'body'),
      row('customer', 'alice', 'declared', 'end_user'),
      row('plan', 'free', 'default', 'key_default'),
      row('team', 'core', 'default', 'key_team'),
    ],
    labels: [{ value: 'beta', sources: ['body', 'key_default'] }],
    paths: [{ value: 'US/CA', sources: ['header'] }],
    sent: ['env:dev', 'feature:x', 'beta', 'feature=y', 'US/CA', 'tier:gold', 'env:prod', 'plan:free'],
    warnings: ['env is locked by the key or its team; the declared value was not used'],
  });
  assert.deepEqual(JSON.parse(JSON.stringify(explained)), explained);
});

type Row = ReturnType<typeof explainTags>['dimensions'][number];

function row(
  ...[key, value, provenance, source, lost = []]: [string, string, Row['provenance'], Row['source'], Row['lost']?]
): Row {
  return { key, value, provenance, source, sent_value: null, lost };
}

test('what a policy made of a value is shown beside what was sent', () => {
  const sources = new Map([['body', readBodyTags({ tags: '["job:a-1"]' }).declaration]] as const);
  const tags = resolveTags(sources, { keyTeam: '' });
  const capped = {
    ...tags,
    dimensions: new Map([['job', { value: '(other)', provenance: 'declared' as const }]]),
    overflow: new Map([['job', 'a-1']]),
  };
  assert.deepEqual(explainTags(sources, capped).dimensions, [
    { key: 'job', value: '(other)', provenance: 'declared', source: 'body', sent_value: 'a-1', lost: [] },
  ]);
});

test('an end user and a customer that both come from tags are explained as tags', () => {
  const { dimensions } = explain({
    body: readBodyTags({ tags: '{"end_user":"u","customer":"c"}', user: '"alice"' }).declaration,
  });
  assert.deepEqual(
    dimensions.map(({ key, source, lost }) => ({ key, source, lost })),
    [
      { key: 'end_user', source: 'body', lost: [{ value: 'alice', source: 'body' }] },
      { key: 'customer', source: 'body', lost: [] },
    ],
  );
});

test('a customer by default is explained as such where end users are kept apart', () => {
  const rules = compileTagRules({ endUserAs: 'end_user' });
  const sources = new Map<TagSource, TagDeclaration>([
    ['body', readBodyTags({ user: '"alice"' }).declaration],
    ['key_default', readDefaultTags({ tags: ['customer:acme'] })],
  ]);
  const { dimensions } = explainTags(sources, resolveTags(sources, { keyTeam: '', rules }));
  assert.deepEqual(
    dimensions.map(({ key, source }) => [key, source]),
    [
      ['end_user', 'body'],
      ['customer', 'key_default'],
    ],
  );
});
