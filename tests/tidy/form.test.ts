import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { findAll, isForTests, listFiles, readText, readTree } from './tree.ts';

const MOST_LINES = 400;

const NAMELESS = /^(?:utils?|helpers?|common|shared|misc|managers?|services?|lib|types|constants)$/;

const code = readTree(/\.(?:ts|tsx|mjs)$/);
const served = code.filter(({ path }) => path.startsWith('src/') && !isForTests(path));

test('no file or folder is named after nothing', () => {
  const named = listFiles(/\.(?:ts|tsx|mjs)$/).filter((path) =>
    path.split('/').some((part) => NAMELESS.test(basename(part).replace(/\..*$/, ''))),
  );
  assert.deepEqual(named, []);
});

test('file names are in kebab-case', () => {
  const wrong = listFiles(/^(?:src|tests|scripts|bench|dashboard)\/.*\.(?:ts|tsx|mjs)$/).filter(
    (path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.(?:ts|tsx|mjs)$/.test(basename(path)),
  );
  assert.deepEqual(wrong, []);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = code.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  assert.deepEqual(
    long.filter(({ lines }) => lines > MOST_LINES),
    [],
  );
});

test('types are not escaped: no any, no ! on a value, no enum, no default export', () => {
  const escapes = /\bas any\b|: any\b|<any>|\benum \w+ \{|^export default\b|[\w)\]]!(?=[.;,)\]])/m;
  const configs = /\.config\.ts$|^scripts\/test-reporter\.ts$|^tests\/tidy\//;
  assert.deepEqual(
    code.filter(({ path }) => !configs.test(path)).flatMap((file) => findAll(file, escapes)),
    [],
  );
});

test('no check is switched off without a reason', () => {
  const off = code.flatMap(({ path, text }) =>
    Array.from(
      text.matchAll(/(?:oxlint|eslint)-disable(?!.* --\s+\S).*|\/\/ @ts-(?:ignore|nocheck|expect-error)(?!:? .{10,})/g),
      (match) => `${path}: ${match[0]}`,
    ),
  );
  assert.deepEqual(
    off.filter((found) => !found.startsWith('tests/tidy/')),
    [],
  );
});

test('money that is missing is never made zero', () => {
  const zeroed =
    /\w*(?:cost|usd|amount|price|charge|billed|reserved|spent|spend|at_?risk)\w*(?:\(\))?\s*(?:\?\?|\|\|)\s*(?:0n?|ZERO_USD)\b/i;
  const dashboard = code.filter(({ path }) => path.startsWith('dashboard/src/'));
  assert.deepEqual(
    [...served, ...dashboard].flatMap((file) => findAll(file, zeroed)),
    [],
  );
});

test('nothing is left to be done', () => {
  const left = code
    .filter(({ path }) => !path.startsWith('tests/tidy/'))
    .flatMap(({ path, text }) =>
      Array.from(text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b.*/g), (match) => `${path}: ${match[0]}`),
    );
  assert.deepEqual(left, []);
});

test('no failure is swallowed without a reason beside it', () => {
  const swallowed = /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(?:\{\s*\}|undefined|null)\)/;
  const silent = served.flatMap((file) => {
    const lines = file.text.split('\n');
    return findAll(file, swallowed).filter((found) => {
      const line = Number(found.split(':')[1]);
      return !lines.slice(Math.max(0, line - 7), line).some((above) => /^\s*(?:\/\/|\/?\*)/.test(above));
    });
  });
  assert.deepEqual(silent, []);
});

test('no tracked file knows the machine it was written on', () => {
  const machine =
    /(?<![\w.:])\/(?:work|home|Users|root)\/[\w.-]+|\.\.\/shared\/|registry\.(?:npmjs|yarnpkg)\.\w+|npm\.pkg\.github\.com|_authToken|"resolved": "/g;
  const texts = listFiles(
    /^(?!dashboard\/dist\/|tests\/tidy\/).*(?:\.(?:ts|tsx|mjs|json|md|yml|yaml|html|css|toml)|\.npmrc|run|Dockerfile)$/,
  );
  const found = texts.flatMap((path) =>
    Array.from(readText(path).matchAll(machine), (match) => `${path}: ${match[0]}`),
  );
  assert.deepEqual(found, []);
});
