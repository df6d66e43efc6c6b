import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApportionError } from '#terms';
import { DeclarationDraft, type TagDeclaration } from './declaration.ts';
import { decodeHeader, decodePercent } from './header-text.ts';
import { formatTagsHeader, readEntityHeader, readTagsHeader } from './native-header.ts';
import { parseTag } from './parse-tag.ts';

function read(text: string): TagDeclaration {
  const draft = new DeclarationDraft();
  readTagsHeader(draft, text, 'x-apportion-tags');
  return draft.finish();
}

type Said = { dimensions?: Record<string, string>; labels?: string[]; paths?: string[] };

const READ: readonly (readonly [string, Said])[] = [
  ['', {}],
  [' , ,', {}],
  ['team=growth', { dimensions: { team: 'growth' } }],
  ['team:growth', { dimensions: { team: 'growth' } }],
  [' team = growth ,env : prod', { dimensions: { team: 'growth', env: 'prod' } }],
  ['US/California, beta', { labels: ['beta'], paths: ['US/California'] }],
  ['team=eng/search', { dimensions: { team: 'eng/search' } }],
  ['a=b=c, d=e:f', { dimensions: { a: 'b=c', d: 'e:f' } }],
  ['note="a, b", x=1', { dimensions: { note: 'a, b', x: '1' } }],
  [String.raw`note="say \"hi\" \\ there"`, { dimensions: { note: String.raw`say "hi" \ there` } }],
  ['note = "a" , b', { dimensions: { note: 'a' }, labels: ['b'] }],
  ['size=5"7, b', { dimensions: { size: '5"7' }, labels: ['b'] }],
  ['"team:growth"', { labels: ['team:growth'] }],
  ['"a/b"', { labels: ['a/b'] }],
  ['https://a.example/b', { labels: ['https://a.example/b'] }],
  ['url=https://a.example/b', { dimensions: { url: 'https://a.example/b' } }],
  ['city=M%C3%BCnchen, city2="K%C3%B6ln"', { dimensions: { city: 'München', city2: 'Köln' } }],
  ['discount=50%, left=a%2Cb, raw=%2541', { dimensions: { discount: '50%', left: 'a,b', raw: '%41' } }],
  ['emoji="👍🏽"', { dimensions: { emoji: '👍🏽' } }],
  ['two words: x', { labels: ['two words: x'] }],
];

for (const [text, { dimensions = {}, labels = [], paths = [] }] of READ) {
  test(`x-apportion-tags: ${text} is read`, () => {
    const said = read(text);
    assert.deepEqual(
      {
        dimensions: Object.fromEntries(said.dimensions),
        labels: said.labels,
        paths: said.paths,
        warnings: said.warnings,
      },
      {
        dimensions: Object.fromEntries(Object.entries(dimensions).map(([key, value]) => [key, [value]])),
        labels,
        paths,
        warnings: [],
      },
    );
  });
}

test('members are kept as they were sent, without quotes and percent escapes', () => {
  assert.deepEqual(read('team = growth, note="a, %C3%BC" ,US//California, who=a%40b').sent, [
    'team = growth',
    'note=a, ü',
    'US//California',
    'who=a@b',
  ]);
});

test('a value that says nothing is left out with a warning', () => {
  assert.deepEqual(read('team=, note="", ""').warnings, [
    'x-apportion-tags is empty and was left out',
    'x-apportion-tags is empty and was left out',
    'x-apportion-tags is empty and was left out',
  ]);
});

test('an entity id may hold slashes, commas and any script', () => {
  const draft = new DeclarationDraft();
  readEntityHeader(draft, 'customer/"Acme, Inc", project/eu/search, team/%E6%9D%B1', 'x-apportion-entity');
  const { entity, dimensions } = draft.finish();
  assert.deepEqual(entity, { type: 'customer', id: 'Acme, Inc' });
  assert.deepEqual(Object.fromEntries(dimensions), { project: ['eu/search'], team: ['東'] });
});

const awkward = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      'a',
      'B',
      '7',
      ' ',
      ',',
      '"',
      '\\',
      '=',
      ':',
      '/',
      '%',
      '%41',
      '(',
      '-',
      '\n',
      '\0',
      'ü',
      '東',
      '👍🏽',
      "'",
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
  maxLength: 12,
});

const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);

/** Everything a call can carry: what one source reads from any JSON body. */
const declared = fc
  .record({
    object: fc.dictionary(key, awkward, { maxKeys: 5 }),
    list: fc.array(awkward, { maxLength: 5 }),
    labels: fc.array(awkward, { maxLength: 3 }),
  })
  .map(({ object, list, labels }) => {
    const draft = new DeclarationDraft();
    for (const [name, text] of Object.entries(object)) legal(() => draft.addDimension({ key: name, text }, 'tags'));
    for (const tag of list) legal(() => draft.addTag(tag, 'tags'));
    for (const text of labels) legal(() => draft.addLabel({ text, sent: text }, 'tags'));
    return draft.finish();
  });

function legal(add: () => void): void {
  try {
    add();
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
  }
}

test('what is formatted is read back as the same tags', () => {
  fc.assert(
    fc.property(declared, ({ dimensions, labels, paths }) => {
      const single = new Map(Array.from(dimensions, ([name, values]) => [name, values[0] ?? '']));
      const text = formatTagsHeader({ dimensions: single, labels, paths });
      assert.match(text, /^[\x20-\x7e]*$/);
      const back = read(text);
      assert.deepEqual(
        Array.from(back.dimensions),
        Array.from(single, ([name, value]) => [name, [value]]),
      );
      assert.deepEqual([back.labels, back.paths], [labels, paths]);
    }),
    { numRuns: 400 },
  );
});

test('a plain tag formats as one would write it', () => {
  const tags = {
    dimensions: new Map([
      ['team', { value: 'eng/search' }],
      ['note', { value: 'a "b", ü' }],
    ]),
    labels: ['beta', 'a:b'],
    paths: ['US/New York'],
  };
  assert.equal(formatTagsHeader(tags), String.raw`team=eng/search, note="a \"b\", %C3%BC", beta, "a:b", US/New York`);
});

test('any header is read, or refused with a tag error that names it', () => {
  fc.assert(
    fc.property(fc.oneof(awkward, fc.string({ unit: 'binary', maxLength: 40 })), (text) => {
      try {
        read(text);
      } catch (error) {
        assert.ok(error instanceof ApportionError, String(error));
        assert.deepEqual([error.status, error.param], [400, 'x-apportion-tags']);
      }
    }),
    { numRuns: 400 },
  );
});

test('a tag of a list means the same in the header, as long as it needs no quotes', () => {
  const plain = fc.string({
    unit: fc.constantFrom('a', 'b', ':', '/', ' ', '.', '-', '_'),
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(plain, (text) => {
      // A space between key and colon is allowed in the header only.
      fc.pre(!/\s:/.test(text) && !/:\s*\/\//.test(text.trim().replace(/^[\w.-]+:\/\//, '')));
      const draft = new DeclarationDraft();
      draft.addTag(text, 'x');
      const one = draft.finish();
      const other = read(text);
      assert.deepEqual(
        [other.dimensions, other.labels, other.paths],
        [one.dimensions, one.labels, one.paths],
        JSON.stringify([text, parseTag(text)]),
      );
    }),
    { numRuns: 400 },
  );
});

test('decoding UTF-8 and percent escapes gives back any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodeHeader(Buffer.from(text).toString('latin1'), 'x'), text);
      assert.equal(decodePercent(encodeURIComponent(text), 'x'), text);
    }),
  );
});
