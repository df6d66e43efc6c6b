import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApportionError } from '#terms';
import { parseTagPolicy } from './parse-policy.ts';

function refusal(input: unknown): string {
  try {
    parseTagPolicy(input, 'tag_policy');
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
    assert.equal(error.status, 400);
    assert.ok(error.param?.startsWith('tag_policy'), String(error.param));
    return `${error.message} ${error.hint ?? ''}`;
  }
  return 'accepted';
}

test('an empty policy warns, requires nothing and allows everything', () => {
  assert.deepEqual(parseTagPolicy({}, 'tag_policy'), {
    mode: 'warn',
    required: [],
    keys: new Map(),
    labels: null,
    allowUnknownKeys: true,
    maxTags: null,
    detect: {},
    hints: null,
  });
});

test('every field of a policy is read', () => {
  const policy = parseTagPolicy(
    {
      mode: 'enforce',
      required: ['team', 'feature', 'team'],
      keys: {
        env: { values: ['prod', 'staging'], aliases: { production: 'prod' }, fold: 'lower', max_values_per_day: 100 },
        version: { pattern: '^v[0-9]+$' },
      },
      labels: { fold: 'upper' },
      allow_unknown_keys: false,
      max_tags: 10,
      detect: { email: 'hash', secret: 'reject', phone: 'off' },
      hints: false,
    },
    'tag_policy',
  );
  const { keys, ...rest } = policy;
  assert.deepEqual(rest, {
    mode: 'enforce',
    required: ['team', 'feature'],
    labels: { values: null, pattern: null, aliases: new Map(), fold: 'upper' },
    allowUnknownKeys: false,
    maxTags: 10,
    detect: { email: 'hash', secret: 'reject', phone: 'off' },
    hints: false,
  });
  assert.deepEqual(keys.get('env'), {
    values: ['prod', 'staging'],
    pattern: null,
    aliases: new Map([['production', 'prod']]),
    fold: 'lower',
    maxValuesPerDay: 100,
  });
  assert.equal(keys.get('version')?.pattern?.source, '^v[0-9]+$');
});

test('what does not fit is refused with its place and the fix', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'tag_policy: this value does not fit. It must be an object.'],
    [[], 'tag_policy: this value does not fit. It must be an object.'],
    [{ mod: 'warn' }, 'tag_policy.mod: unknown key. Did you mean "mode"?'],
    [{ mode: 'strict' }, 'tag_policy.mode: this value does not fit. It must be one of off, warn, enforce.'],
    [{ detect: { emial: 'off' } }, 'tag_policy.detect.emial: unknown key. Did you mean "email"?'],
    [{ detect: { iban: 'off' } }, 'tag_policy.detect.iban: unknown key. Known here are: email, phone, card, secret.'],
    [
      { detect: { email: 'hide' } },
      'tag_policy.detect.email: this value does not fit. It must be one of off, warn, hash, mask, reject.',
    ],
    [{ keys: { env: { value: ['a'] } } }, 'tag_policy.keys.env.value: unknown key. Did you mean "values"?'],
    [
      { keys: { env: { values: [] } } },
      'tag_policy.keys.env.values: this value does not fit. It must be a list with at least one value.',
    ],
    [
      { keys: { env: { pattern: 'prod' } } },
      'tag_policy.keys.env.pattern: this value does not fit. It must begin with ^ and end with $.',
    ],
    [{ required: [7] }, 'tag_policy.required[0]: this value does not fit. It must be a string.'],
    [{ max_tags: 0 }, 'tag_policy.max_tags: this value does not fit. It must be at least 1.'],
    [{ max_tags: 65 }, 'tag_policy.max_tags: this value does not fit. It must be at most 64.'],
    [{ max_tags: 1.5 }, 'tag_policy.max_tags: this value does not fit. It must be a whole number.'],
    [{ allow_unknown_keys: 'no' }, 'tag_policy.allow_unknown_keys: this value does not fit. It must be a boolean.'],
  ];
  for (const [input, expected] of cases) assert.equal(refusal(input), expected);
  assert.match(refusal({ keys: { 'a b': {} } }), /^tag_policy\.keys\.a b: this is not a tag key\./);
  assert.match(
    refusal({ required: ['session_id'] }),
    /^tag_policy\.required\[0\]: the tag key "session_id" is reserved\./,
  );
});

test('any JSON is a policy or a 400 that names its place', () => {
  const known = fc.constantFrom(
    'mode',
    'required',
    'keys',
    'labels',
    'detect',
    'max_tags',
    'hints',
    'values',
    'pattern',
  );
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, 0, 7, 'env', '^a+$', 'warn', 'lower', '__proto__'),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(known, fc.string({ maxLength: 4 })), tie('json'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(fc.property(json, (input) => typeof refusal(input) === 'string'));
});
