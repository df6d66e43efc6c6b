import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erasedPaths, readIdentity, remover, withoutPaths, type ErasureSubject } from './subject.ts';

const ENTRY = {
  kind: 'attempt',
  entity_type: 'customer',
  entity_id: 'acme',
  session_id: 'acme/42',
  session_path: 'plan/search',
  trace_id: 'f00d',
  key_name: 'ci of Acme',
  key_owner: 'ann',
  tags: { customer: 'acme', team: 'core', region: 'acmeland' },
  labels: ['beta', 'vip-acme'],
  paths: ['US/acme'],
  tags_overflow: { build: 'acme' },
  tag_conflicts: [{ key: 'team', value: 'acme', source: 'header' }],
  tags_sent: ['customer%3Aacme'],
  usage_raw: '{"note":"acme"}',
};

const ACME: ErasureSubject = { kind: 'tag', key: 'customer', value: 'acme' };

function pathsOf(subject: ErasureSubject, entry: object): string[] {
  return [...erasedPaths(subject, readIdentity(entry))].toSorted();
}

test('in an entry of the subject its value goes wherever it stands as a word, and what was sent goes whole', () => {
  assert.deepEqual(pathsOf(ACME, ENTRY), [
    'entity_id',
    'key_name',
    'labels.1',
    'paths.0',
    'session_id',
    'tag_conflicts',
    'tags.customer',
    'tags_overflow',
    'tags_sent',
  ]);
});

test('a tag called __proto__ stays where others go, and goes like others', () => {
  const tags = { ['__proto__']: 'acme', team: 'core' };
  const fields = readIdentity({ tags });
  const erase = (key: string, value: string) =>
    Object.entries(withoutPaths(fields, erasedPaths({ kind: 'tag', key, value }, fields)).tags);
  assert.deepEqual(erase('team', 'core'), [
    ['__proto__', 'acme'],
    ['team', '(erased)'],
  ]);
  assert.deepEqual(erase('__proto__', 'acme'), [
    ['__proto__', '(erased)'],
    ['team', 'core'],
  ]);
});

test('an entry of somebody else keeps the word', () => {
  const other = {
    ...ENTRY,
    entity_id: 'globex',
    tags: { customer: 'globex', note: 'acme' },
    tags_overflow: {},
    tag_conflicts: [],
  };
  assert.deepEqual(pathsOf(ACME, other), []);
});

test('a value that lost against a stronger one, or was beyond the cap of its key, is of the subject too', () => {
  const bare = { tags: {} };
  assert.deepEqual(pathsOf(ACME, { ...bare, tags_overflow: { customer: 'acme' } }), ['tags_overflow']);
  const lost = [{ key: 'customer', value: 'acme', source: 'header' }];
  assert.deepEqual(pathsOf(ACME, { ...bare, tag_conflicts: lost }), ['tag_conflicts']);
});

test('a session goes with its steps and its trace; the owner of a key with the keys that carry the name', () => {
  assert.deepEqual(pathsOf({ kind: 'session', value: 'acme/42' }, ENTRY), [
    'session_id',
    'session_path',
    'tags_sent',
    'trace_id',
  ]);
  assert.deepEqual(pathsOf({ kind: 'key_owner', value: 'ann' }, ENTRY), ['key_owner', 'tags_sent']);
});

test('what somebody wrote of an adjustment may name the subject; what a provider says of usage does not', () => {
  assert.ok(pathsOf(ACME, { ...ENTRY, kind: 'adjustment' }).includes('usage_raw'));
  assert.ok(!pathsOf(ACME, ENTRY).includes('usage_raw'));
});

test('a value is text, not a pattern', () => {
  const entry = { tags: { customer: 'a.c(me)+' }, labels: ['abc'], tags_sent: [] };
  assert.deepEqual(pathsOf({ kind: 'tag', key: 'customer', value: 'a.c(me)+' }, entry), ['tags.customer']);
});

test('what is no entry names nobody', () => {
  for (const nothing of [null, 7, 'acme', [], { tags: 'acme', labels: 3 }])
    assert.deepEqual(pathsOf(ACME, Object(nothing)), []);
});

test('of a text only the value goes, wherever it is a word', () => {
  assert.equal(remover(ACME)('Acme, acmeland and vip/acme: acme'), '(erased), acmeland and vip/(erased): (erased)');
  assert.equal(remover({ kind: 'session', value: 'a.c+$&' })('abc a.c+$& A.C+$&'), 'abc (erased) (erased)');
});
