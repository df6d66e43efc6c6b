import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTagRules, parseTagPolicy, readDefaultTags } from '#tags';
import { ConfigError, describeConfig, loadConfig, readAtPlace, type Config } from './index.ts';

function load(file: string): Config {
  return loadConfig({ env: { APPORTION_CONFIG: 'apportion.json' }, readFile: () => file });
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
  return [];
}

const FULL = `{
  "tags": {
    "headers": { "X-Department": "department", "x-app": null },
    "baggage": ["team"],
    "entity_types": ["workspace"],
    "path_roots": { "customer": "customer" },
    "end_user_as": "end_user",
    "default_tags": ["env:production"],
    "policy": { "mode": "enforce", "required": ["team"] },
  },
}`;

test('the tags section is read whole, and knows where each value stands', () => {
  const { places, ...tags } = load(FULL).tags;
  assert.deepEqual(tags, {
    headers: { 'X-Department': 'department', 'x-app': null },
    baggage: ['team'],
    entityTypes: ['workspace'],
    pathRoots: { customer: 'customer' },
    endUserAs: 'end_user',
    defaultTags: ['env:production'],
    policy: { mode: 'enforce', required: ['team'] },
  });
  assert.equal(places['tags.policy.required[0]'], 'apportion.json:9:49');
  assert.equal(places['tags.headers.X-Department'], 'apportion.json:3:34');
  assert.ok(!JSON.stringify(describeConfig(load(FULL))).includes('apportion.json'));
});

test('unknown and repeated keys, wrong types and repeated names are told with their place', () => {
  const file = `{ "tags": {
    "header": {},
    "headers": { "x-a": "a", "X-A": "b" },
    "baggage": ["team", "team"],
    "path_roots": { "customer": 7 },
    "end_user_as": "user",
    "default_tags": "env:prod",
    "policy": { "mode": "warn", "keys": { "env": {}, "env": {} } },
    "policy": [] } }`;
  assert.deepEqual(
    problemsOf(() => load(file)),
    [
      'apportion.json:2:5 "tags.header": unknown key. Did you mean "headers"?',
      'apportion.json:9:5 "tags.policy": this key stands here twice. Keep one of them.',
      'apportion.json:8:54 "tags.policy.keys.env": this key stands here twice. Keep one of them.',
      'apportion.json:3:16 "tags.headers": this value does not fit. It must be an object that names each header once (upper and lower case are the same header).',
      'apportion.json:4:16 "tags.baggage": this value does not fit. It must be a list that names each one once.',
      'apportion.json:5:33 "tags.path_roots.customer": this value does not fit. It must be a string.',
      'apportion.json:6:20 "tags.end_user_as": this value does not fit. It must be one of customer, end_user.',
      'apportion.json:7:21 "tags.default_tags": this value does not fit. It must be a list of tags, or an object of keys and values.',
      'apportion.json:8:15 "tags.policy": this value does not fit. It must be an object.',
    ],
  );
  assert.deepEqual(
    problemsOf(() => load('{ "tags": [] }')),
    ['apportion.json:1:11 "tags": this value does not fit. It must be an object.'],
  );
  assert.deepEqual(
    problemsOf(() => load('{ "tag": {} }')),
    ['apportion.json:1:3 "tag": unknown key. Did you mean "tags"?'],
  );
});

test('what #tags finds wrong is told with file, line and column as well', () => {
  const { tags } = load(`{ "tags": {
    "headers": { "Authorization": "caller" },
    "default_tags": ["env:prod", "entity_id:7"],
    "policy": {
      "detect": { "emial": "hash" } } } }`);
  assert.match(
    problemsOf(() => readAtPlace(tags, () => compileTagRules(tags)))[0] ?? '',
    /^apportion\.json:2:35 "tags\.headers\.Authorization": this header carries a credential\./,
  );
  assert.match(
    problemsOf(() => readAtPlace(tags, () => readDefaultTags({ tags: tags.defaultTags })))[0] ?? '',
    /^apportion\.json:3:34 "tags\.default_tags\[1\]": the tag key "entity_id" is reserved\./,
  );
  assert.deepEqual(
    problemsOf(() => readAtPlace(tags, () => parseTagPolicy(tags.policy, 'tags.policy'))),
    ['apportion.json:5:28 "tags.policy.detect.emial": unknown key. Did you mean "email"?'],
  );
});
