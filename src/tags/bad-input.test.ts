import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApportionError, LIMITS, type TagSet } from '#terms';
import { READ_ONLY_BODY_FIELDS, readBodyTags, TAG_BODY_FIELDS } from './body.ts';
import { explainTags } from './explain.ts';
import { readHeaderTags } from './headers.ts';
import { formatTagsHeader } from './native-header.ts';
import { MULTIPLE } from './parse-tag.ts';
import { resolveTags } from './resolve.ts';
import { compileTagRules } from './rules.ts';

const RULES = compileTagRules({
  headers: { 'x-department': 'department', 'x-foo': null },
  baggage: ['team'],
  pathRoots: { customer: 'customer' },
});

const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u001b[31m',
  'line\r\nset-cookie: x',
  '=cmd|"/c calc"!A1',
  '+1+1',
  '@SUM(A1)',
  '<script>alert(1)</script>',
  `'"><img src=x onerror=alert(1)>`,
  "'; DROP TABLE entries; --",
  '{{7*7}}',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  '(untagged)',
  '(multiple)',
  '\u202Eevil',
  '\ufeffbom',
  '👩‍👩‍👧‍👦',
  '\ud800',
  'a:b',
  'a/b',
  'customer/acme',
  'team:x',
  'x'.repeat(10_240),
  'a:'.repeat(300),
  '/'.repeat(300),
  '"',
  '\\',
  '%',
  '%ff',
  '%00',
  ',',
];

const text = fc.oneof(fc.constantFrom(...NASTY), fc.string(), fc.string({ unit: 'binary' }));

const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.constantFrom(null, true, false, 0, -0, 2.5, 1e21, Number.NaN),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.constantFrom('t', 'u:1', 'v/1'), { minLength: 1000, maxLength: 1000 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom('tags', 'user', 'session_id', 'entity_type')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

const bodyField = fc.constantFrom(...TAG_BODY_FIELDS, ...READ_ONLY_BODY_FIELDS, 'metadata');

/** A field's text is whatever the scan of a request lets through: JSON, or text that only looks like it. */
const bodyText = fc.oneof(
  { weight: 5, arbitrary: json.map((value) => JSON.stringify(value) ?? 'null') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '{"a":"\u0001"}',
      '{"a":01}',
      '{"a":1e400,"__proto__":-0}',
      '["a",]',
      '{"a":"\\x"}',
      'nul',
      '{',
      '"',
      '-',
    ),
  },
);

const headerName = fc.constantFrom(
  'x-apportion-tags',
  'x-apportion-entity',
  'x-apportion-session-path',
  'x-litellm-tags',
  'x-litellm-end-user-id',
  'x-litellm-spend-logs-metadata',
  'helicone-property-env',
  'helicone-property-__proto__',
  'helicone-property-',
  'x-portkey-metadata',
  'cf-aig-metadata',
  'x-bf-dim-team',
  'x-llmgateway-constructor',
  'traceparent',
  'baggage',
  'x-department',
  'x-foo',
  'constructor',
);

/** As Node hands headers over: a character per byte; repeats as a list. */
const headerText = fc.oneof(
  text.map((value) => Buffer.from(value.toWellFormed()).toString('latin1')),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  json.map((value) => Buffer.from(JSON.stringify(value) ?? '').toString('latin1')),
);

const headers = fc.dictionary(headerName, fc.oneof(headerText, fc.array(headerText, { maxLength: 3 })), { maxKeys: 4 });

const prototypes = JSON.stringify([
  Object.getOwnPropertyNames(Object.prototype),
  Object.getOwnPropertyNames(Array.prototype),
  Object.getOwnPropertyNames(Map.prototype),
]);

function isWithinLimits(tags: TagSet): void {
  for (const [key, { value }] of tags.dimensions) {
    assert.ok(key.length <= LIMITS.tagKeyChars);
    assert.ok(value === MULTIPLE || Array.from(value).length <= LIMITS.tagValueChars);
    assert.ok(value.trim() === value && value !== '' && value.isWellFormed());
  }
  for (const path of tags.paths) assert.ok(path.split('/').length <= LIMITS.pathDepth);
  for (const warning of tags.warnings) assert.match(warning, /^[\x20-\x7e]+$/);
  assert.match(formatTagsHeader(tags), /^[\x20-\x7e]*$/);
}

test('F10: whatever a request says of tags, it is a 400 or a set of tags that can be stored, and nothing else', () => {
  fc.assert(
    fc.property(fc.dictionary(bodyField, bodyText, { maxKeys: 4 }), headers, (fields, given) => {
      try {
        const sources = new Map([
          ['body', readBodyTags(fields, RULES).declaration],
          ['header', readHeaderTags(given, RULES)],
        ] as const);
        const tags = resolveTags(sources, { keyTeam: 'core', rules: RULES });
        isWithinLimits(tags);
        const explained = explainTags(sources, tags);
        assert.deepEqual(JSON.parse(JSON.stringify(explained)), explained);
      } catch (error) {
        assert.ok(error instanceof ApportionError, String(error));
        assert.equal(error.status, 400);
        assert.notEqual(error.param, null);
      }
      assert.equal(
        JSON.stringify([
          Object.getOwnPropertyNames(Object.prototype),
          Object.getOwnPropertyNames(Array.prototype),
          Object.getOwnPropertyNames(Map.prototype),
        ]),
        prototypes,
      );
    }),
    { numRuns: 600 },
  );
});

test('a value that is accepted is stored as it was sent, in whatever field or header', () => {
  fc.assert(
    fc.property(text, (value) => {
      const said = [
        () => readBodyTags({ tags: JSON.stringify({ note: value }) }).declaration,
        () => readHeaderTags({ 'x-portkey-metadata': onWire(JSON.stringify({ note: value })) }, RULES),
        () => readHeaderTags({ 'x-apportion-tags': `note="${quoted(value)}"` }, RULES),
        () => readHeaderTags({ 'helicone-property-note': onWire(value) }, RULES),
      ].map(outcome);
      const [body] = said;
      if (value.isWellFormed()) for (const one of said) assert.deepEqual(one, body);
      if (body !== 'refused') assert.deepEqual(body, value.trim() === '' ? [] : [value.trim()]);
    }),
    { numRuns: 300 },
  );
});

function outcome(read: () => ReturnType<typeof readHeaderTags>): readonly string[] | 'refused' {
  try {
    const declaration = read();
    return declaration.dimensions.get('note') ?? declaration.weaker?.dimensions.get('note') ?? [];
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
    return 'refused';
  }
}

function onWire(value: string): string {
  return Buffer.from(value.toWellFormed()).toString('latin1');
}

function quoted(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

test('a thousand different tags are refused, a thousand times the same one is one tag', () => {
  const thousand = Array.from({ length: 1000 }, (_, n) => `t${n}`);
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['tags[64]', () => readBodyTags({ tags: JSON.stringify(thousand) })],
    ['x-litellm-tags', () => readHeaderTags({ 'x-litellm-tags': thousand.join(',') }, RULES)],
    ['x-apportion-tags', () => readHeaderTags({ 'x-apportion-tags': thousand.join(', ') }, RULES)],
  ];
  for (const [param, read] of cases) assert.throws(read, { code: 'tag_limit_exceeded', param });
  const same = JSON.stringify(thousand.map(() => 'same'));
  assert.deepEqual(readBodyTags({ tags: same }).declaration.labels, ['same']);
});
