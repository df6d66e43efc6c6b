import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import { readBodyTags, type MetadataForward } from './body.ts';
import { NO_TAGS, type TagDeclaration } from './declaration.ts';

/** Fields as JSON text, as the call path hands them over. */
function read(body: Record<string, unknown>): TagDeclaration {
  return readBodyTags(Object.fromEntries(Object.entries(body).map(([key, value]) => [key, JSON.stringify(value)])))
    .declaration;
}

function forwarded(metadata: string): MetadataForward {
  return readBodyTags({ metadata }).forwardMetadata;
}

function refuses(body: Record<string, unknown>, expected: { code: string; param: string }): void {
  assert.throws(
    () => read(body),
    (error) => {
      assert.ok(error instanceof ApportionError);
      assert.deepEqual({ code: error.code, param: error.param }, expected);
      return true;
    },
  );
}

test('a body without tags declares nothing', () => {
  assert.deepEqual(readBodyTags({}), { declaration: NO_TAGS, forwardMetadata: { action: 'keep' } });
});

test('the InfraPrism shape gives entity, session and dimensions', () => {
  const body = {
    entity_type: 'customer',
    entity_id: 'acme-corp',
    session_id: 's-1',
    tags: { feature: 'chatbot', env: 'production', version: '2.1.0' },
  };
  assert.deepEqual(read(body), {
    ...NO_TAGS,
    entity: { type: 'customer', id: 'acme-corp' },
    sessionIds: ['s-1'],
    dimensions: new Map([
      ['feature', ['chatbot']],
      ['env', ['production']],
      ['version', ['2.1.0']],
    ]),
    sent: ['feature:chatbot', 'env:production', 'version:2.1.0'],
  });
});

test('the FastRouter shape gives labels and paths', () => {
  assert.deepEqual(read({ request_tags: ['UK/London', 'Europe'] }), {
    ...NO_TAGS,
    labels: ['Europe'],
    paths: ['UK/London'],
    sent: ['UK/London', 'Europe'],
  });
});

test('the LiteLLM shape gives labels', () => {
  assert.deepEqual(read({ metadata: { tags: ['AWS_IAM_PROD', 'us-east-1'] } }), {
    ...NO_TAGS,
    labels: ['AWS_IAM_PROD', 'us-east-1'],
    sent: ['AWS_IAM_PROD', 'us-east-1'],
  });
});

test('the NemoRouter shape gives dimensions', () => {
  const tags = ['team:growth', 'feature:summarizer', 'env:prod', 'customer:acme'];
  assert.deepEqual(read({ metadata: { tags } }), {
    ...NO_TAGS,
    dimensions: new Map([
      ['team', ['growth']],
      ['feature', ['summarizer']],
      ['env', ['prod']],
      ['customer', ['acme']],
    ]),
    sent: tags,
  });
});

test('top-level tags may be an array or a string with commas', () => {
  const declared = read({ tags: ['env:prod', 'beta'] });
  assert.deepEqual([declared.dimensions, declared.labels], [new Map([['env', ['prod']]]), ['beta']]);
  const { dimensions, labels } = read({ tags: 'env:prod, beta' });
  assert.deepEqual([dimensions, labels], [declared.dimensions, declared.labels]);
});

test('a number keeps its written form and a boolean becomes its word', () => {
  const { declaration } = readBodyTags({
    tags: '{"version": 2.0, "big": 12345678901234567890, "tiny": -1e-7, "cached": true}',
    request_tags: '[2024, 1.50, false]',
  });
  assert.deepEqual(Array.from(declaration.dimensions), [
    ['version', ['2.0']],
    ['big', ['12345678901234567890']],
    ['tiny', ['-1e-7']],
    ['cached', ['true']],
  ]);
  assert.deepEqual(declaration.labels, ['2024', '1.50', 'false']);
});

test('null and empty values are absent, with a warning that names the place', () => {
  assert.deepEqual(read({ tags: { env: null, team: ' ', x: 'y' }, request_tags: [null, 'team:', 'a'] }), {
    ...NO_TAGS,
    dimensions: new Map([['x', ['y']]]),
    labels: ['a'],
    sent: ['x:y', 'a'],
    warnings: [
      'tags.env is null and was left out',
      'tags.team is empty and was left out',
      'request_tags[0] is null and was left out',
      'request_tags[1] is empty and was left out',
    ],
  });
});

test('null in every field means that the field is absent', () => {
  const body = {
    entity_type: null,
    entity_id: null,
    session_id: null,
    tags: null,
    request_tags: null,
    litellm_metadata: null,
  };
  assert.deepEqual(read(body), NO_TAGS);
});

test('a repeated key inside a tags object counts as two values, not as the last one', () => {
  const { declaration } = readBodyTags({ tags: '{"team":"a","team":"b"}' });
  assert.deepEqual(declaration.dimensions, new Map([['team', ['a', 'b']]]));
});

test('session and entity are found in metadata and litellm_metadata, the top level first', () => {
  const declared = read({
    session_id: 'top',
    metadata: { session_id: 'inner', entity_type: 'team', entity_id: 'core' },
    litellm_metadata: { entity_type: 'team', entity_id: 'other', tags: ['x'] },
    litellm_session_id: 'lite',
  });
  assert.deepEqual(declared, {
    ...NO_TAGS,
    entity: { type: 'team', id: 'core' },
    sessionIds: ['top', 'lite', 'inner'],
    dimensions: new Map([['team', ['other']]]),
    labels: ['x'],
    sent: ['x'],
  });
});

test('spend_logs_metadata gives dimensions; what cannot be one is left out and said', () => {
  const declared = read({
    metadata: { spend_logs_metadata: { job: 'nightly', n: 3, deep: { a: 1 }, 'bad key': 'x' } },
  });
  assert.deepEqual(declared, {
    ...NO_TAGS,
    dimensions: new Map([
      ['job', ['nightly']],
      ['n', ['3']],
    ]),
    sent: ['job:nightly', 'n:3'],
    warnings: ['2 fields of metadata.spend_logs_metadata cannot be tags and were left out'],
  });
});

test('an entity id may be a number', () => {
  assert.deepEqual(read({ entity_type: 'employee', entity_id: 12345 }).entity, { type: 'employee', id: '12345' });
});

const REFUSED: readonly (readonly [Record<string, unknown>, string, string])[] = [
  [{ entity_type: 'customer' }, 'invalid_entity', 'entity_id'],
  [{ entity_id: 'acme' }, 'invalid_entity', 'entity_type'],
  [{ metadata: { entity_id: 'acme' } }, 'invalid_entity', 'metadata.entity_type'],
  [{ entity_type: 'tenant', entity_id: 'acme' }, 'invalid_entity', 'entity_type'],
  [{ entity_type: 'customer', entity_id: ' ' }, 'invalid_entity', 'entity_id'],
  [{ entity_type: 'customer', entity_id: ['a'] }, 'invalid_entity', 'entity_id'],
  [{ entity_type: 'customer', entity_id: '(untagged)' }, 'reserved_tag', 'entity_id'],
  [{ session_id: {} }, 'invalid_field', 'session_id'],
  [{ session_id: 's'.repeat(257) }, 'tag_limit_exceeded', 'session_id'],
  [{ tags: 7 }, 'invalid_tag', 'tags'],
  [{ tags: { env: ['a'] } }, 'invalid_tag', 'tags.env'],
  [{ tags: { 'two words': 'a' } }, 'invalid_tag', 'tags.two words'],
  [{ tags: { session_id: 'a' } }, 'reserved_tag', 'tags.session_id'],
  [{ metadata: { tags: ['a', 'b', { c: 1 }] } }, 'invalid_tag', 'metadata.tags[2]'],
  [{ litellm_metadata: 'x' }, 'invalid_field', 'litellm_metadata'],
  [{ request_tags: Array.from({ length: 65 }, (_, index) => `t${index}`) }, 'tag_limit_exceeded', 'request_tags[64]'],
];

for (const [body, code, param] of REFUSED) {
  test(`${JSON.stringify(body).slice(0, 60)} is refused with ${code} at ${param}`, () => {
    refuses(body, { code, param });
  });
}

test('broken JSON inside a tag field is refused, not forwarded', () => {
  for (const tags of ['{"a":"\\x"}', '["a",]', '{"a":01}']) {
    assert.throws(() => readBodyTags({ tags }), { code: 'body_not_json' });
  }
});

test('the same tag in several fields counts once towards the limit', () => {
  const tags = Array.from({ length: 64 }, (_, index) => `t${index}`);
  assert.equal(read({ tags, request_tags: tags, metadata: { tags } }).labels.length, 64);
});

test('metadata without our fields goes to the provider untouched', () => {
  for (const metadata of ['{"user_id": "u"}', '{}', 'null', '"text"', '[1]']) {
    assert.deepEqual(forwarded(metadata), { action: 'keep' });
  }
});

test('metadata loses our fields and keeps the rest byte for byte', () => {
  const metadata = '{"tags":["a"], "n": 2.0,"session_id":"s","big" : 12345678901234567890, "é":"\\u00e9"}';
  assert.deepEqual(forwarded(metadata), {
    action: 'replace',
    json: '{"n": 2.0,"big" : 12345678901234567890,"é":"\\u00e9"}',
  });
});

test('metadata that holds only our fields is dropped', () => {
  const ours = {
    tags: [],
    session_id: 's',
    litellm_session_id: 's',
    spend_logs_metadata: {},
    entity_type: 'team',
    entity_id: 'x',
  };
  assert.deepEqual(forwarded(JSON.stringify(ours)), { action: 'drop' });
  for (const [field, value] of Object.entries({
    tags: [],
    session_id: 's',
    litellm_session_id: 's',
    spend_logs_metadata: {},
  })) {
    assert.deepEqual(forwarded(JSON.stringify({ [field]: value })), { action: 'drop' });
  }
});

test('warnings hold nothing a header cannot carry', () => {
  const { warnings } = read({
    tags: { 'schlüssel\n': null, env: null },
    request_tags: Array.from({ length: 500 }, () => null),
    metadata: { spend_logs_metadata: { ключ: 'x' } },
  });
  for (const warning of warnings) assert.match(warning, /^[\x20-\x7e]+$/);
  assert.ok(warnings.length <= 64);
});
