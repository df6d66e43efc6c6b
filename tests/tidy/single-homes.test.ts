import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAll, isForTests, readTree } from './tree.ts';

const served = readTree(/^src\/.*\.ts$/).filter(({ path }) => !isForTests(path));

function outside(homes: RegExp, pattern: RegExp): string[] {
  return served.filter(({ path }) => !homes.test(path)).flatMap((file) => findAll(file, pattern));
}

test('only config reads the environment', () => {
  assert.deepEqual(outside(/^src\/config\//, /\bprocess\s*\.\s*env\b/), []);
});

test('only std/clock reads the time', () => {
  const reads =
    /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)|\bperformance\.(?:now|timeOrigin)\b|\bprocess\.hrtime\b|\bTemporal\.Now\b/;
  assert.deepEqual(outside(/^src\/std\/clock\.ts$/, reads), []);
});

test('only observe prints', () => {
  assert.deepEqual(outside(/^src\/observe\//, /\bconsole\.\w+|\bprocess\.std(?:out|err)\b/), []);
});

test('only the main files and the command line end the process', () => {
  assert.deepEqual(outside(/^src\/(?:main[^/]*\.ts|cli\/)/, /\bprocess\s*\.\s*(?:exit|abort|exitCode)\b/), []);
});

test('chance is seeded or secure, never Math.random', () => {
  assert.deepEqual(outside(/^$/, /\bMath\.random\b/), []);
});
