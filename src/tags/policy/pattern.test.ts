import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, type Pattern } from './pattern.ts';

const LIMITS = { maxChars: 200, maxSteps: 2000 };

function pattern(source: string): Pattern {
  const compiled = compilePattern(source, LIMITS);
  assert.ok(!('problem' in compiled), 'problem' in compiled ? `${source}: ${compiled.problem}` : '');
  return compiled;
}

function problem(source: string): string | null {
  const compiled = compilePattern(source, LIMITS);
  return 'problem' in compiled ? compiled.problem : null;
}

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  String.raw`\d`,
  '[ab]',
  '[^a]',
  String.raw`\.`,
  '-',
  'é',
  String.raw`\p{L}`,
);
const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?');
const { expression } = fc.letrec<{ expression: string; group: string; piece: string }>((tie) => ({
  expression: fc.array(tie('piece'), { maxLength: 3 }).map((pieces) => pieces.join('')),
  group: fc
    .tuple(fc.constantFrom('(', '(?:'), fc.array(tie('expression'), { minLength: 1, maxLength: 2 }))
    .map(([open, options]) => `${open}${options.join('|')})`),
  piece: fc
    .tuple(fc.oneof({ maxDepth: 2, withCrossShrink: true }, atom, tie('group')), quantifier)
    .map(([one, times]) => one + times),
}));
const subject = fc
  .array(fc.constantFrom('a', 'b', '1', '.', '-', 'é', '😀', '\n'), { maxLength: 8 })
  .map((parts) => parts.join(''));

test('a pattern says of each text what RegExp says', () => {
  fc.assert(
    fc.property(expression, fc.array(subject, { minLength: 1, maxLength: 5 }), (source, texts) => {
      const compiled = compilePattern(`^${source}$`, LIMITS);
      fc.pre(!('problem' in compiled));
      const oracle = new RegExp(`^${source}$`, 'u');
      for (const text of texts) assert.equal(compiled.matches(text), oracle.test(text), `${source} on ${text}`);
    }),
    { numRuns: 300 },
  );
});

test('patterns as operators write them', () => {
  const version = pattern(String.raw`^v?\d+(?:\.\d+){0,3}$`);
  assert.deepEqual(
    ['v1.2.3', '1', '1.2.3.4', '1.2.3.4.5', 'v', '1.'].map((text) => version.matches(text)),
    [true, true, true, false, false, false],
  );
  const slug = pattern('^[a-z0-9]+(-[a-z0-9]+)*$');
  assert.deepEqual(
    ['acme', 'acme-corp-2', '-acme', 'Acme', ''].map((text) => slug.matches(text)),
    [true, true, false, false, false],
  );
  const one = pattern('^(?:prod|staging|dev-.+)$');
  assert.deepEqual(
    ['prod', 'dev-x', 'dev-', 'production'].map((text) => one.matches(text)),
    [true, true, false, false],
  );
});

test('a pattern that RegExp needs hours for is answered at once', { timeout: 10_000 }, () => {
  for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^a*a*a*a*a*a*a*a*$', '^(?:a?){60}a{60}$', '^(.*)*x$']) {
    assert.equal(pattern(source).matches(`${'a'.repeat(255)}!`), false);
  }
});

test('what cannot be matched this way is refused with what it must do instead', () => {
  assert.equal(problem('a+'), 'begin with ^ and end with $');
  assert.equal(problem(String.raw`^a\$`), 'begin with ^ and end with $');
  assert.equal(problem('^a|b$'), 'have ^ and $ only at its ends (group alternatives: ^(?:a|b)$)');
  assert.equal(problem('^a^b$'), 'have ^ and $ only at its ends (group alternatives: ^(?:a|b)$)');
  assert.equal(problem('^(a$'), 'be a regular expression (with the flag u)');
  assert.equal(problem('^[b-a]$'), 'be a regular expression (with the flag u)');
  assert.match(problem('^(?=a)a$') ?? '', /look-around/);
  assert.match(problem(String.raw`^(a)\1$`) ?? '', /back references/);
  assert.match(problem(`^${'a'.repeat(200)}$`) ?? '', /at most 200 characters/);
  assert.match(problem('^(?:a{50}){50}$') ?? '', /at most 2000 steps/);
  assert.match(problem('^(?:){100000000}$') ?? '', /at most 2000 steps/);
});

test('no source makes compiling throw or hang', { timeout: 20_000 }, () => {
  const source = fc.string({
    unit: fc.constantFrom(...Array.from(String.raw`^$()[]{}|*+?\-.,0129abpuxkB😀:=!<>`)),
    maxLength: 30,
  });
  fc.assert(
    fc.property(source, (inner) => {
      compilePattern(`^${inner}$`, LIMITS);
    }),
    { numRuns: 2000 },
  );
});
