import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { toKeyGenerateAnswer, toKeyInfoAnswer } from './key-answer.ts';
import { parseKeyGenerate, type KeyGenerateRequest } from './key-generate.ts';
import { type KeyRecord } from './key-record.ts';
import { NOTHING_SPENT } from './subjects/figures.fixture.ts';

const NOTHING: KeyGenerateRequest = {
  alias: null,
  name: null,
  team: '',
  owner: '',
  models: [],
  routes: [],
  addresses: [],
  metadata: {},
  blocked: false,
  expiry: { kind: 'never' },
  spending: {},
};

test('the documented LiteLLM body sets default tags', () => {
  const body = { metadata: { tags: ['AWS_IAM_PROD', 'team-backend'] } };
  assert.deepEqual(parseKeyGenerate(body), { ...NOTHING, metadata: body.metadata });
});

test('no body, an empty body and a body of nulls make a plain key', () => {
  const nulls = {
    key_alias: null,
    team_id: null,
    models: null,
    duration: null,
    metadata: null,
    max_budget: null,
    permissions: {},
  };
  for (const body of [undefined, null, {}]) assert.deepEqual(parseKeyGenerate(body), NOTHING);
  assert.deepEqual(parseKeyGenerate(nulls), { ...NOTHING, spending: { max_budget: null } });
});

test('all fields are read', () => {
  const body = {
    key_alias: 'a',
    team_id: ' core ',
    user_id: 'u',
    models: ['gpt-4o'],
    allowed_routes: ['/v1/chat/completions', '/chat/completions/', '/v1/files/*', 'openai_routes'],
    allowed_ips: ['203.0.113.7', '10.0.0.0/8'],
    key_type: 'llm_api',
    tags: ['x', 'y'],
    metadata: { tags: ['y'] },
    expires: '2030-01-01T00:00:00Z',
  };
  assert.deepEqual(parseKeyGenerate(body), {
    ...NOTHING,
    alias: 'a',
    team: 'core',
    owner: 'u',
    models: ['gpt-4o'],
    routes: ['/chat/completions', '/files/*', 'openai_routes'],
    addresses: ['203.0.113.7', '10.0.0.0/8'],
    metadata: { tags: ['y', 'x'] },
    expiry: { kind: 'at', time: Date.UTC(2030, 0, 1) },
  });
});

for (const [duration, ms] of [
  ['30s', 30_000],
  ['5m', 300_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
] as const) {
  test(`a duration of ${duration} is ${ms} ms`, () => {
    assert.deepEqual(parseKeyGenerate({ duration }).expiry, { kind: 'after', ms });
  });
}

const REFUSED: readonly (readonly [unknown, string, string | null, RegExp])[] = [
  [{ max_budget: -10 }, 'invalid_field', 'max_budget', /amount in US dollars/],
  [{ budget_duration: 'soon' }, 'invalid_field', 'budget_duration', /no length of time/],
  [{ rpm_limit: 0.5 }, 'invalid_field', 'rpm_limit', /rpm_limit: /],
  [{ permissions: { get_spend_routes: true } }, 'invalid_field', 'permissions', /does not enforce it/],
  [{ allowed_routes: ['management_routes'] }, 'invalid_field', 'allowed_routes', /no route of a call/],
  [{ allowed_routes: ['chat'] }, 'invalid_field', 'allowed_routes', /no route of a call/],
  [{ allowed_ips: ['10.0.0.0/33'] }, 'invalid_field', 'allowed_ips', /no address and no range/],
  [{ key_type: 'management' }, 'invalid_field', 'key_type', /expected one of/],
  [{ key_alais: 'x' }, 'invalid_field', 'key_alais', /Did you mean key_alias\?/],
  [{ colour: 'x' }, 'invalid_field', 'colour', /Known fields: key_alias/],
  [{ key_alias: 7 }, 'invalid_field', 'key_alias', /key_alias: /],
  [{ models: ['a', 3] }, 'invalid_field', 'models.1', /models\.1: /],
  [[], 'invalid_field', null, /The body: /],
  ['x', 'invalid_field', null, /The body: /],
  [{ duration: '1mo' }, 'invalid_field', 'duration', /12h/],
  [{ duration: '0d' }, 'invalid_field', 'duration', /12h/],
  [{ duration: '999999999w' }, 'invalid_field', 'duration', /12h/],
  [{ duration: '1d', expires: '2030-01-01T00:00:00Z' }, 'invalid_field', 'expires', /not both/],
  [{ expires: 'tomorrow' }, 'invalid_field', 'expires', /expires: /],
  [{ team_id: '(untagged)' }, 'reserved_tag', 'team_id', /reserved/],
  [{ tags: ['session_id:1'] }, 'reserved_tag', 'metadata.tags[0]', /reserved/],
  [{ metadata: { tags: ['ok', {}] } }, 'invalid_tag', 'metadata.tags[1]', /cannot be a tag/],
  [{ metadata: { tags: { a: 'b' } }, tags: ['x'] }, 'invalid_field', 'metadata.tags', /one of the two/],
];

for (const [body, code, param, message] of REFUSED) {
  test(`${JSON.stringify(body).slice(0, 50)} is refused at ${param}`, () => {
    assert.throws(
      () => parseKeyGenerate(body),
      (error) => {
        assert.ok(error instanceof ApportionError);
        assert.deepEqual([error.code, error.param], [code, param]);
        assert.match(`${error.message} ${error.hint}`, message);
        return true;
      },
    );
  });
}

const KEY: KeyRecord = {
  id: 'key_1',
  hash: 'ab'.repeat(32),
  name: 'backend',
  alias: 'backend',
  shown: 'sk-ap-12…wxyz',
  role: 'call',
  previous: null,
  team: 'core',
  owner: '',
  models: [],
  routes: ['/chat/completions'],
  addresses: ['10.0.0.0/8'],
  metadata: { tags: ['x'] },
  expiresAt: Date.UTC(2030, 0, 1) as TimestampMs,
  blocked: false,
  deletedAt: null,
  createdAt: Date.UTC(2029, 0, 1) as TimestampMs,
  revision: 1,
};

test('the answer has the LiteLLM fields, the token, and its hash', () => {
  assert.deepEqual(toKeyGenerateAnswer({ token: 'sk-ap-secret', key: KEY }, NOTHING_SPENT), {
    key: 'sk-ap-secret',
    token: KEY.hash,
    token_id: KEY.hash,
    id: 'key_1',
    name: 'backend',
    key_name: 'sk-...wxyz',
    key_alias: 'backend',
    expires: '2030-01-01T00:00:00.000Z',
    team_id: 'core',
    user_id: null,
    models: [],
    allowed_routes: ['/chat/completions'],
    allowed_ips: ['10.0.0.0/8'],
    metadata: { tags: ['x'] },
    blocked: false,
    created_at: '2029-01-01T00:00:00.000Z',
    deleted_at: null,
    previous_token_until: null,
    ...NOTHING_SPENT({ kind: 'key', id: KEY.id }),
  });
});

test('the info answer names the key by its hash and never shows a token', () => {
  const { key, info } = toKeyInfoAnswer(KEY, { lastUsedAt: null, figures: NOTHING_SPENT });
  assert.equal(key, KEY.hash);
  assert.ok(typeof info === 'object' && info !== null && !('key' in info));
});
