import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonValueEnd, scanJsonObject } from './json-members.ts';

function valuesOf(text: string): Record<string, unknown> {
  const bytes = Buffer.from(text);
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok, scan.ok ? '' : scan.problem);
  return Object.fromEntries(
    scan.members.map(({ key, valueStart, end }) => [key, JSON.parse(bytes.toString('utf8', valueStart, end))]),
  );
}

test('the members of any object are those that JSON.parse sees', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, 2), (object, indent) => {
      const text = JSON.stringify(object, null, indent);
      assert.deepEqual(Object.entries(valuesOf(text)), Object.entries(JSON.parse(text)));
    }),
  );
});

test('text cut anywhere is refused, never half read', () => {
  const text = JSON.stringify({
    model: 'a\\"b',
    messages: [{ role: 'user', content: 'x'.repeat(100) + '\\' }],
    n: -1.5e3,
    ok: true,
  });
  for (let length = 0; length < Buffer.byteLength(text); length += 1) {
    assert.equal(scanJsonObject(Buffer.from(text).subarray(0, length)).ok, false, `cut after ${length} bytes`);
  }
});

test('an escaped field name is read as the name it stands for', () => {
  assert.deepEqual(valuesOf('{"mod\\u0065l":1}'), { model: 1 });
});

test('names that are alike at both ends and in the middle are told apart, however often they come', () => {
  const names = ['abcde', 'axcye', 'abcye', 'axcde'];
  for (const name of [...names, ...names]) assert.deepEqual(valuesOf(`{"${name}":1}`), { [name]: 1 });
  // Six bytes for one character, and one that is no character at all.
  assert.deepEqual(valuesOf('{"\\u0061":1}'), { a: 1 });
  assert.deepEqual(Object.keys(valuesOf('{"é":1,"e":2}')), ['é', 'e']);
});

test('a long string full of escaped quotes and backslashes ends where it should', () => {
  const long = `${'\\"'.repeat(200)}${'\\\\'.repeat(50)}`;
  assert.deepEqual(Object.keys(valuesOf(`{"a":"${long}","b":2}`)), ['a', 'b']);
});

for (const [text, problem] of [
  ['[1]', 'a JSON object must begin with {'],
  ['{"a":1} x', 'unexpected text after the object'],
  ['{"a":[1}}', 'a bracket closes the wrong thing'],
  ['{"a":nope}', 'expected a value'],
  ['{"a" 1}', 'expected : after a field name'],
  ['{"a":1 "b":2}', 'expected , or } after a value'],
  [`{"a":${'['.repeat(300)}${']'.repeat(300)}}`, 'nested deeper than 256 levels'],
] as const) {
  test(`${text.slice(0, 20)} is refused: ${problem}`, () => {
    const scan = scanJsonObject(Buffer.from(text));
    assert.equal(scan.ok ? 'accepted' : scan.problem, problem);
  });
}

test('the end of a value inside other text is found, and -1 when it is cut', () => {
  const bytes = Buffer.from('data: {"usage":{"a":[1,"}"]},"x":1}');
  assert.equal(bytes.toString('utf8', 15, jsonValueEnd(bytes, 15)), '{"a":[1,"}"]}');
  assert.equal(jsonValueEnd(bytes.subarray(0, 22), 15), -1);
});
