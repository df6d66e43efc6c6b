import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import { READ_ONLY_BODY_FIELDS, readBodyTags, TAG_BODY_FIELDS, type MetadataForward } from './body.ts';
import { NO_TAGS, type TagDeclaration } from './declaration.ts';
import { compileTagRules } from './rules.ts';

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

test('end users are found in the order of LiteLLM, and an empty one is left out', () => {
  const { endUsers, warnings } = read({
    safety_identifier: 'safe',
    user: 'alice',
    metadata: { user_id: 'anthropic' },
    litellm_metadata: { user: 'lite' },
    requesty: { user_id: 'requesty' },
  });
  assert.deepEqual(endUsers, ['alice', 'requesty', 'lite', 'anthropic', 'safe']);
  assert.deepEqual(warnings, []);
  assert.deepEqual(read({ user: '' }).warnings, ['user is empty and was left out']);
  assert.deepEqual(read({ user: null, safety_identifier: null }), NO_TAGS);
});

test('what says who uses the product still goes to the provider', () => {
  assert.equal(new Set<string>([...READ_ONLY_BODY_FIELDS, ...TAG_BODY_FIELDS]).size, TAG_BODY_FIELDS.length + 2);
  assert.deepEqual(forwarded('{"user_id":"u","tags":["a"]}'), { action: 'replace', json: '{"user_id":"u"}' });
});

test('TensorZero, Requesty and OpenRouter fields are read', () => {
  assert.deepEqual(read({ 'tensorzero::tags': { team: 'growth' }, 'tensorzero::episode_id': 'e-1' }), {
    ...NO_TAGS,
    sessionIds: ['e-1'],
    dimensions: new Map([['team', ['growth']]]),
    sent: ['team:growth'],
  });
  assert.deepEqual(read({ requesty: { tags: ['beta'], trace_id: 't-1', extra: { job: 'nightly', deep: [] } } }), {
    ...NO_TAGS,
    traceIds: ['t-1'],
    dimensions: new Map([['job', ['nightly']]]),
    labels: ['beta'],
    sent: ['beta', 'job:nightly'],
    warnings: ['1 fields of requesty.extra cannot be tags and were left out'],
  });
  assert.deepEqual(read({ session_id: 's-1', session_path: '/plan//search/', litellm_trace_id: 't-1' }), {
    ...NO_TAGS,
    sessionIds: ['s-1'],
    sessionPaths: ['plan/search'],
    traceIds: ['t-1'],
  });
});

test('C2: the documented top-level tags are read like those in metadata', () => {
  const tags = ['team:growth', 'beta', 'US/CA'];
  const top = read({ tags });
  for (const body of [{ metadata: { tags } }, { litellm_metadata: { tags } }, { request_tags: tags }]) {
    assert.deepEqual(read(body), top);
  }
});

test('F3: fields that only the gateway may set say nothing, wherever they stand', () => {
  const injected = {
    user_api_key: 'x',
    user_api_key_team_id: 'rich',
    user_api_key_user_id: 'boss',
    key_team: 'rich',
    'key.team': 'rich',
    provenance: 'locked',
    team_id: 'rich',
    organization_id: 'rich',
    spend: 0,
    key_lock: { team: 'rich' },
    attempt: 7,
  };
  assert.deepEqual(read({ metadata: injected, litellm_metadata: { ...injected, metadata: injected } }), NO_TAGS);
});

test('tags of an object are the same however the JSON is written', () => {
  const plain = readBodyTags({ tags: '{"team":"growth","env":"prod"}' }).declaration;
  for (const tags of ['{ "team" : "growth" ,\n"env":"prod" }', '{"t\\u0065am":"growth","env":"pro\\u0064"}']) {
    assert.deepEqual(readBodyTags({ tags }).declaration, plain);
  }
  const proto = readBodyTags({ tags: '{"__proto__":"a","constructor":"b"}' }).declaration;
  assert.deepEqual(Array.from(proto.dimensions), [
    ['__proto__', ['a']],
    ['constructor', ['b']],
  ]);
});

test('operator-defined entity types are entities, and path roots set dimensions', () => {
  const rules = compileTagRules({ entityTypes: ['workspace'], pathRoots: { customer: 'customer' } });
  const { declaration } = readBodyTags(
    { entity_type: '"workspace"', entity_id: '"w-1"', request_tags: '["customer/acme/eu","US/CA","customer"]' },
    rules,
  );
  assert.deepEqual(declaration, {
    ...NO_TAGS,
    entity: { type: 'workspace', id: 'w-1' },
    dimensions: new Map([['customer', ['acme']]]),
    labels: ['customer'],
    paths: ['customer/acme/eu', 'US/CA'],
    sent: ['customer/acme/eu', 'US/CA', 'customer'],
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
  [{ user: { id: 1 } }, 'invalid_field', 'user'],
  [{ user: 'u'.repeat(257) }, 'tag_limit_exceeded', 'user'],
  [{ safety_identifier: [] }, 'invalid_field', 'safety_identifier'],
  [{ session_path: '1/2/3/4/5/6/7/8/9' }, 'tag_limit_exceeded', 'session_path'],
  [{ requesty: [] }, 'invalid_field', 'requesty'],
  [{ 'tensorzero::tags': { 'a b': 'x' } }, 'invalid_tag', 'tensorzero::tags.a b'],
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

test('a field of ours that stands in an object twice is refused: nobody could say which one counts', () => {
  for (const [field, text, param] of [
    ['metadata', '{"tags":["a"],"tags":["b"]}', 'metadata.tags'],
    ['metadata', '{"user_id":"a","user_id":"b"}', 'metadata.user_id'],
    ['litellm_metadata', '{"session_id":"a","session_id":"b"}', 'litellm_metadata.session_id'],
    ['requesty', '{"user_id":"a","user_id":"b"}', 'requesty.user_id'],
  ] as const) {
    assert.throws(() => readBodyTags({ [field]: text }), { code: 'duplicate_field', param });
  }
  assert.deepEqual(forwarded('{"theirs":1,"theirs":2}'), { action: 'keep' });
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
