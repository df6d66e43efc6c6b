import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApportionError } from '#terms';
import { parseTag, type ParsedTag } from './parse-tag.ts';

const label = (text: string): ParsedTag => ({ kind: 'label', label: text });
const path = (...segments: string[]): ParsedTag => ({ kind: 'path', segments });
const dimension = (key: string, value: string): ParsedTag => ({ kind: 'dimension', key, value });

const READ: readonly (readonly [string, ParsedTag | null])[] = [
  ['team:growth', dimension('team', 'growth')],
  ['team-backend', label('team-backend')],
  ['AWS_IAM_PROD', label('AWS_IAM_PROD')],
  ['us-east-1', label('us-east-1')],
  ['UK/London', path('UK', 'London')],
  ['feature/summary-widget', path('feature', 'summary-widget')],
  [' / US // California /SF/ ', path('US', 'California', 'SF')],
  ['/US/', label('US')],
  ['https://example.com/a', label('https://example.com/a')],
  ['arn:aws:iam::1:role/x', dimension('arn', 'aws:iam::1:role/x')],
  ['team:eng/search', dimension('team', 'eng/search')],
  ['User-Agent: curl/8', dimension('User-Agent', 'curl/8')],
  ['a.b-c_D:12:30', dimension('a.b-c_D', '12:30')],
  ['two words: x', label('two words: x')],
  ['1st:x', label('1st:x')],
  ['a b:c/d', path('a b:c', 'd')],
  ['日本', label('日本')],
  ['=cmd()|<script>"\u0000', label('=cmd()|<script>"\u0000')],
  ['', null],
  ['  ', null],
  ['team:', null],
  ['//', null],
];

for (const [text, expected] of READ) {
  test(`${JSON.stringify(text)} is read as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseTag(text), expected);
  });
}

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['entity_type:customer', 'reserved_tag', 'the tag key "entity_type" is reserved'],
  ['session_id:1', 'reserved_tag', 'the tag key "session_id" is reserved'],
  ['_infraprism_x:1', 'reserved_tag', 'the tag key "_infraprism_x" is reserved'],
  ['_apportion_x:1', 'reserved_tag', 'the tag key "_apportion_x" is reserved'],
  ['team:(untagged)', 'reserved_tag', 'the value "(untagged)" is reserved'],
  ['(multiple)', 'reserved_tag', 'the value "(multiple)" is reserved'],
  ['US/(direct)', 'reserved_tag', 'the value "(direct)" is reserved'],
  [`${'k'.repeat(65)}:v`, 'tag_limit_exceeded', 'the key has 65 characters, the limit is 64'],
  [`k:${'v'.repeat(257)}`, 'tag_limit_exceeded', 'the value has 257 characters, the limit is 256'],
  ['l'.repeat(257), 'tag_limit_exceeded', 'the value has 257 characters, the limit is 256'],
  ['1/2/3/4/5/6/7/8/9', 'tag_limit_exceeded', 'the path has 9 segments, the limit is 8'],
  ['half \ud800 pair', 'invalid_tag', 'the text has half of a surrogate pair'],
];

for (const [text, code, what] of REFUSED) {
  test(`${JSON.stringify(text.slice(0, 24))} is refused: ${what}`, () => {
    assert.throws(
      () => parseTag(text, 'metadata.tags[2]'),
      (error) =>
        error instanceof ApportionError &&
        error.code === code &&
        error.message === `metadata.tags[2]: ${what}.` &&
        error.param === 'metadata.tags[2]',
    );
  });
}

test('a value of 256 emoji is within the limit of 256 characters', () => {
  assert.deepEqual(parseTag(`k:${'🦊'.repeat(256)}`), dimension('k', '🦊'.repeat(256)));
});

test('any text is read or refused with a tag error, never with another one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      try {
        parseTag(text);
      } catch (error) {
        assert.ok(error instanceof ApportionError);
        assert.equal(error.status, 400);
      }
    }),
  );
});
