import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TimestampMs } from '#std';
import { ApportionError, type TagSet, type TagSource } from '#terms';
import { readBodyTags } from '../body.ts';
import { type TagDeclaration } from '../declaration.ts';
import { readDefaultTags } from '../default-tags.ts';
import { resolveTags } from '../resolve.ts';
import { applyPolicy } from './apply-policy.ts';
import { createCardinalityGate, type CardinalityGate } from './cardinality-gate.ts';
import { compilePolicy, type CompiledPolicy } from './compile-policy.ts';
import { parseTagPolicy } from './parse-policy.ts';

const NOW = Date.UTC(2026, 10, 2, 12) as TimestampMs;

function body(fields: Record<string, unknown>): TagDeclaration {
  return readBodyTags(Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)])))
    .declaration;
}

/** Fields of a request body, or tags as strings. */
function call(...given: readonly (string | Record<string, unknown>)[]): TagSet {
  const tags = given.filter((one) => typeof one === 'string');
  const fields = Object.assign({ request_tags: tags }, ...given.filter((one) => typeof one !== 'string'));
  return resolveTags(new Map([['body', body(fields)]]), { keyTeam: '' });
}

function policy(deployment: unknown, more: { team?: unknown; key?: unknown } = {}): CompiledPolicy {
  return compilePolicy({
    deployment: parseTagPolicy(deployment, 'tags.policy'),
    team: more.team === undefined ? null : parseTagPolicy(more.team, 'tag_policy'),
    key: more.key === undefined ? null : parseTagPolicy(more.key, 'tag_policy'),
  });
}

function apply(tags: TagSet, rules: CompiledPolicy, cardinality = gate()): TagSet {
  return applyPolicy(tags, rules, { now: NOW, cardinality, hashKey: Buffer.from('secret of the data directory') });
}

function gate(): CardinalityGate {
  return createCardinalityGate({ maxKeys: 100 });
}

function refusal(tags: TagSet, rules: CompiledPolicy): { message: string; param: string | null } {
  try {
    apply(tags, rules);
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
    assert.equal(error.status, 400);
    return { message: `${error.message} ${error.hint ?? ''}`, param: error.param };
  }
  return { message: 'accepted', param: null };
}

function values(tags: TagSet): Record<string, string> {
  return Object.fromEntries(Array.from(tags.dimensions, ([key, { value }]) => [key, value]));
}

type Broken = {
  readonly rule: Record<string, unknown>;
  readonly tags: TagSet;
  readonly message: string;
  readonly param: string;
};

const BROKEN: Readonly<Record<string, Broken>> = {
  'a required key that is missing': {
    rule: { required: ['team', 'feature'] },
    tags: call('team:growth'),
    message: 'feature is missing (tag policy of the deployment). Send the tag feature.',
    param: 'tags.feature',
  },
  'a value that is not listed': {
    rule: { keys: { env: { values: ['prod', 'staging'] } } },
    tags: call('env:stagin'),
    message: 'env has a value that is not allowed (tag policy of the deployment). Did you mean staging?',
    param: 'tags.env',
  },
  'a value that does not match': {
    rule: { keys: { version: { pattern: '^v[0-9]+$' } } },
    tags: call('version:two'),
    message: 'version has a value that is not allowed (tag policy of the deployment). Send one that matches ^v[0-9]+$.',
    param: 'tags.version',
  },
  'one of two values of one key': {
    rule: { keys: { env: { values: ['prod', 'staging'] } } },
    tags: call('env:prod', 'env:qa'),
    message: 'env has a value that is not allowed (tag policy of the deployment). Allowed: prod, staging.',
    param: 'tags.env',
  },
  'a label that is not listed': {
    rule: { labels: { values: ['beta', 'canary'] } },
    tags: call('gamma'),
    message: 'a label has a value that is not allowed (tag policy of the deployment). Allowed: beta, canary.',
    param: 'tags',
  },
  'a key that is not listed': {
    rule: { allow_unknown_keys: false, keys: { env: {}, feature: {} } },
    tags: call('env:prod', 'featrue:chat'),
    message: 'not among the allowed keys: featrue (tag policy of the deployment). Did you mean feature?',
    param: 'tags',
  },
  'too many tags': {
    rule: { max_tags: 2 },
    tags: call('team:growth', 'beta', 'US/California'),
    message: 'the call has 3 tags, the limit is 2 (tag policy of the deployment). Send fewer.',
    param: 'tags',
  },
  'an e-mail address': {
    rule: { detect: { email: 'reject' } },
    tags: call({ entity_type: 'customer', entity_id: 'ann@example.com' }),
    message:
      'customer holds an e-mail address, which detect.email rejects (tag policy of the deployment). ' +
      'Send a stable id that names nobody instead.',
    param: 'tags',
  },
};

for (const [what, { rule, tags, message, param }] of Object.entries(BROKEN)) {
  test(`${what} is refused when enforced`, () => {
    assert.deepEqual(refusal(tags, policy({ ...rule, mode: 'enforce' })), { message, param });
  });

  test(`${what} is a warning in ASCII and changes nothing when warned of`, () => {
    const after = apply(tags, policy({ ...rule, mode: 'warn' }));
    assert.deepEqual({ ...after, warnings: [] }, { ...tags, warnings: [] });
    const added = after.warnings.slice(tags.warnings.length);
    assert.equal(added.length, 1, added.join('\n'));
    assert.match(added[0] ?? '', /^[\x20-\x7e]+$/);
    assert.ok(!added.join('').includes('ann@example.com'));
  });

  test(`${what} is nothing to a policy that is off`, () => {
    assert.equal(apply(tags, policy({ ...rule, mode: 'off' })), tags);
  });
}

test('without any policy personal data and secrets are told of, and nothing changes', () => {
  const tags = call('ann@example.com', 'US/+14155552671', { entity_type: 'customer', entity_id: '4111111111111111' });
  const after = apply(tags, compilePolicy({}));
  assert.deepEqual(after, {
    ...tags,
    warnings: [
      'customer seems to hold a card number. Send a stable id instead',
      'a label seems to hold an e-mail address. Send a stable id instead',
      'a path seems to hold a phone number. Send a stable id instead',
    ],
  });
  const clean = call('team:growth', 'US/California', 'beta', { session_id: 's-1' });
  assert.equal(apply(clean, compilePolicy({})), clean);
});

test('values and labels are folded, then follow aliases, and what was sent stays', () => {
  const rules = policy({
    mode: 'enforce',
    keys: { env: { fold: 'lower', aliases: { Production: 'prod', live: 'production' }, values: ['PROD'] } },
    labels: { fold: 'upper', aliases: { beta: 'preview' } },
  });
  const after = apply(call('env:LIVE', 'Beta', 'preview', 'customer:Acme'), rules);
  assert.deepEqual(values(after), { env: 'prod', customer: 'Acme' });
  assert.deepEqual(after.labels, ['PREVIEW']);
  assert.deepEqual(after.sent, ['env:LIVE', 'Beta', 'preview', 'customer:Acme']);
});

test('the entity follows its dimension', () => {
  const rules = policy({ keys: { customer: { fold: 'lower', aliases: { 'acme inc': 'acme' } } } });
  const after = apply(call({ entity_type: 'customer', entity_id: 'ACME Inc' }), rules);
  assert.deepEqual(after.entity, { type: 'customer', id: 'acme' });
  assert.deepEqual(values(after), { customer: 'acme' });
});

test('two spellings of one value are one value, and no conflict', () => {
  const rules = policy({ keys: { env: { fold: 'lower', aliases: { production: 'prod' } } } });
  const after = apply(call('env:prod', 'env:Production'), rules);
  assert.deepEqual([values(after), after.conflicts], [{ env: 'prod' }, []]);
  const sources = new Map<TagSource, TagDeclaration>([
    ['body', body({ request_tags: ['env:PROD'] })],
    ['key_default', readDefaultTags({ tags: ['env:production', 'env:staging'] })],
  ]);
  const weighed = apply(resolveTags(sources, { keyTeam: '' }), rules);
  assert.deepEqual(values(weighed), { env: 'prod' });
  assert.deepEqual(weighed.conflicts, [{ key: 'env', value: 'staging', source: 'key_default' }]);
});

const CANARY = 'ann.canary@example.com';

function callWithCanary(): TagSet {
  const sources = new Map<TagSource, TagDeclaration>([
    ['key_lock', readDefaultTags({ tags: ['owner:platform'] })],
    [
      'body',
      body({
        entity_type: 'customer',
        entity_id: CANARY,
        session_id: `chat ${CANARY}`,
        tags: { owner: CANARY, contact: CANARY },
        request_tags: [CANARY, ` US / ${CANARY} / SF `, `note: write to ${CANARY}`, 'beta'],
      }),
    ],
  ]);
  const tags = resolveTags(sources, { keyTeam: 'core' });
  return { ...tags, sessionPath: `plan/${CANARY}`, traceId: CANARY, overflow: new Map([['run', CANARY]]) };
}

function everyText(tags: TagSet): string {
  return JSON.stringify({
    ...tags,
    dimensions: [...tags.dimensions],
    overflow: [...tags.overflow],
  });
}

test('F8: a masked e-mail address is nowhere in the result, and each mask says its kind', () => {
  const after = apply(callWithCanary(), policy({ detect: { email: 'mask' } }));
  assert.ok(!everyText(after).includes('canary'), everyText(after));
  assert.deepEqual(after.entity, { type: 'customer', id: '(email)' });
  assert.equal(after.sessionId, '(email)');
  assert.equal(after.sessionPath, 'plan/(email)');
  assert.deepEqual(values(after), {
    owner: 'platform',
    customer: '(email)',
    contact: '(email)',
    note: '(email)',
    team: 'core',
  });
  assert.deepEqual(after.labels, ['(email)', 'beta']);
  assert.deepEqual(after.paths, ['US/(email)/SF']);
  assert.deepEqual(after.conflicts, [{ key: 'owner', value: '(email)', source: 'body' }]);
  assert.deepEqual(
    new Set(after.sent),
    new Set(['owner:(email)', 'contact:(email)', '(email)', 'US/(email)/SF', 'note:(email)', 'beta', 'owner:platform']),
  );
});

test('F8: a hashed e-mail address is nowhere in the result, and one address has one hash', () => {
  const after = apply(callWithCanary(), policy({ detect: { email: 'hash' } }));
  assert.ok(!everyText(after).includes('canary'), everyText(after));
  const hash = after.entity?.id ?? '';
  assert.match(hash, /^h_[0-9a-f]{16}$/);
  assert.equal(after.dimensions.get('contact')?.value, hash);
  assert.deepEqual(after.paths, [`US/${hash}/SF`]);
  const other = applyPolicy(callWithCanary(), policy({ detect: { email: 'hash' } }), {
    now: NOW,
    cardinality: gate(),
    hashKey: Buffer.from('another deployment'),
  });
  assert.notEqual(other.entity?.id, hash);
});

test('a secret in a key name is replaced by a legal key, and no message shows it', () => {
  const secret = ['AKIA', 'IOSFODNN7EXAMPLE'].join('');
  const tags = call(`${secret}:on`, 'beta');
  const masked = apply(tags, policy({ detect: { secret: 'mask' } }));
  assert.deepEqual(values(masked), { masked_secret: 'on' });
  assert.deepEqual(masked.sent, ['masked_secret:on', 'beta']);
  const closed = { allow_unknown_keys: false, keys: { env: {} } };
  assert.ok(!everyText(apply(tags, policy({ ...closed, detect: { secret: 'mask' } }))).includes(secret));
  assert.ok(!refusal(tags, policy({ ...closed, mode: 'enforce' })).message.includes(secret));
  assert.ok(!refusal(tags, policy({ mode: 'enforce', detect: { secret: 'reject' } })).message.includes(secret));
});

test('values beyond the cap of a day become (other), keep what was sent, and are warned of once', () => {
  const rules = policy({ keys: { customer: { max_values_per_day: 2 } } });
  const shared = gate();
  const after = ['a', 'b', 'c', 'd', 'a'].map((id) =>
    apply(call({ entity_type: 'customer', entity_id: id }), rules, shared),
  );
  assert.deepEqual(
    after.map((tags) => tags.dimensions.get('customer')?.value),
    ['a', 'b', '(other)', '(other)', 'a'],
  );
  assert.deepEqual(after[2]?.entity, { type: 'customer', id: '(other)' });
  assert.deepEqual(
    after.map(({ overflow }) => overflow.get('customer')),
    [undefined, undefined, 'c', 'd', undefined],
  );
  assert.deepEqual(
    after.map(({ warnings }) => warnings.length),
    [0, 0, 1, 0, 0],
  );
});

test('a refused call does not use up the cap', () => {
  const rules = policy({ mode: 'enforce', keys: { run: { max_values_per_day: 1 } }, detect: { email: 'reject' } });
  const shared = gate();
  assert.throws(() => apply(call('run:1', CANARY), rules, shared), ApportionError);
  assert.equal(apply(call('run:2'), rules, shared).dimensions.get('run')?.value, '2');
});

test('keys and values that look like ids or times, and many tags, are hinted at', () => {
  const { warnings } = apply(
    call('request_id:7', 'run:01890a5d-ac96-774b-bcce-b302099a8057', 'created_at:now', 'at:2026-11-02T10:00:00Z', {
      entity_type: 'customer',
      entity_id: '01890a5d-ac96-774b-bcce-b302099a8057',
    }),
    compilePolicy({}),
  );
  assert.deepEqual(warnings, [
    'request_id, run: looks like an id. An id per call belongs in session_id or metadata',
    'at, created_at: looks like a time. The entry has its own',
  ]);
  const many = call(...Array.from({ length: 13 }, (_, n) => `label-${n}`));
  assert.deepEqual(apply(many, compilePolicy({})).warnings, [
    'the call has 13 tags. More than 12 are seldom looked at',
  ]);
  assert.deepEqual(apply(many, policy({ hints: false })).warnings, []);
  assert.deepEqual(apply(many, policy({}, { key: { hints: false } })).warnings, []);
});

test('each rule keeps the mode of the level that made it', () => {
  const rules = policy(
    { mode: 'warn', required: ['env'] },
    { team: { mode: 'enforce', required: ['feature'] }, key: { mode: 'off', required: ['version'] } },
  );
  assert.equal(
    refusal(call('env:prod'), rules).message,
    'feature is missing (tag policy of the team). Send the tag feature.',
  );
  assert.deepEqual(apply(call('feature:chat'), rules).warnings, [
    'env is missing (tag policy of the deployment, tags.env). Send the tag env.',
  ]);
});

test('a narrower level adds rules and loosens none', () => {
  const rules = policy(
    {
      mode: 'enforce',
      allow_unknown_keys: false,
      keys: { env: { values: ['prod', 'staging'] } },
      detect: { email: 'mask' },
    },
    {
      team: { keys: { squad: {} }, detect: { email: 'off' } },
      key: { mode: 'enforce', keys: { env: { values: ['prod', 'qa'] } } },
    },
  );
  assert.equal(refusal(call('env:prod'), rules).message, 'accepted');
  assert.match(
    refusal(call('env:staging'), rules).message,
    /^env has a value that is not allowed \(tag policy of the key\)/,
  );
  assert.match(
    refusal(call('env:qa'), rules).message,
    /^env has a value that is not allowed \(tag policy of the deployment\)/,
  );
  assert.match(refusal(call('squad:a'), rules).message, /^not among the allowed keys: squad/);
  assert.deepEqual(apply(call(CANARY), rules).labels, ['(email)']);
});

test('what only the built-in default says, a key may turn off', () => {
  const tags = call({ entity_type: 'customer', entity_id: CANARY });
  assert.equal(apply(tags, policy({}, { key: { detect: { email: 'off' } } })), tags);
});

test('the narrowest alias wins, and aliases in a circle end somewhere', () => {
  const rules = policy(
    { keys: { env: { aliases: { prod: 'production', live: 'prod' } } } },
    { key: { keys: { env: { aliases: { production: 'prod', test: 'test' } } } } },
  );
  assert.deepEqual(
    ['prod', 'production', 'live', 'test'].map((env) => apply(call(`env:${env}`), rules).dimensions.get('env')?.value),
    ['prod', 'prod', 'prod', 'test'],
  );
});

test('a cap of one key leaves the count of another key alone', () => {
  const capped = parseTagPolicy({ keys: { run: { max_values_per_day: 1 } } }, 'tag_policy');
  const shared = gate();
  const runOf = (key: string, run: string): string | undefined =>
    apply(call(`run:${run}`), compilePolicy({ key: capped }, { key }), shared).dimensions.get('run')?.value;
  assert.deepEqual([runOf('a', '1'), runOf('b', '2'), runOf('a', '2')], ['1', '2', '(other)']);
});

test('what a key inherits is not counted, and no closed list shuts out entities', () => {
  const sources = new Map<TagSource, TagDeclaration>([
    ['body', body({ request_tags: ['env:prod'], entity_type: 'customer', entity_id: 'acme' })],
    ['key_default', readDefaultTags({ tags: ['plan:gold', 'zone:eu'] })],
  ]);
  const rules = policy({ mode: 'enforce', max_tags: 2, allow_unknown_keys: false, keys: { env: {} } });
  assert.equal(refusal(resolveTags(sources, { keyTeam: 'core' }), rules).message, 'accepted');
});
