import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, isForTests, listFiles, moduleOf, readText, readTree, targetOf } from './tree.ts';

/** Who may import whom: a module may import those of the lines above its own, and none beside it. */
const LAYERS: readonly (readonly string[])[] = [
  ['std'],
  ['terms'],
  ['tags', 'pricing', 'http', 'wires', 'budgets'],
  ['providers', 'translate'],
  ['config'],
  ['observe'],
  ['accounts'],
  ['ledger'],
  ['analytics'],
  ['alerts'],
  ['processes', 'batches'],
  ['gateway'],
  ['jobs'],
  ['admin'],
  ['main', 'cli'],
];

/** Neighbours of different height that still must not know each other. */
const APART: readonly (readonly [string, string])[] = [
  ['providers', 'tags'],
  ['providers', 'pricing'],
  ['config', 'pricing'],
];

/** Packages with one home. `chdb` and `node:sqlite` are native engines, which the call path must never load. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  chdb: ['ledger'],
  '@clickhouse/client': ['ledger'],
  'node:sqlite': ['accounts', 'ledger'],
  kysely: ['accounts', 'alerts'],
  'openid-client': ['accounts'],
  fastify: ['admin'],
  '@fastify/cookie': ['admin'],
  '@fastify/static': ['admin'],
  ioredis: ['gateway'],
  undici: ['gateway', 'alerts'],
  ws: ['gateway'],
  nodemailer: ['alerts'],
  pino: ['observe'],
  'prom-client': ['observe'],
  'jsonc-parser': ['config'],
  'gpt-tokenizer': ['wires'],
  '@azure/identity': ['providers'],
  'google-auth-library': ['providers'],
  '@aws-sdk/credential-provider-node': ['providers'],
  '@smithy/signature-v4': ['providers'],
  '@pydantic/genai-prices': ['pricing'],
};

const sources = readTree(/^src\/.*\.ts$/);
const imports = sources.flatMap(importsOf);
const served = imports.filter(({ file }) => !isForTests(file));
const heightOf = (module: string): number => LAYERS.findIndex((layer) => layer.includes(module));

test('every folder of src has its place in the layers', () => {
  const modules = new Set(listFiles(/^src\//).map(moduleOf));
  assert.deepEqual(
    [...modules].filter((module) => heightOf(module) < 0),
    [],
  );
});

test('arrows point one way: a module imports only from the layers below it', () => {
  const upward = served.filter(({ from, specifier }) => {
    if (!specifier.startsWith('#')) return false;
    const to = specifier.slice(1).split('/')[0] ?? '';
    return heightOf(to) < 0 || heightOf(to) >= heightOf(from) || APART.some(([a, b]) => a === from && b === to);
  });
  assert.deepEqual(
    upward.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});

test('modules reach each other through their doors, and their own files by relative paths', () => {
  const { imports: doors } = JSON.parse(readText('package.json')) as { imports: Record<string, string> };
  const wrong = imports.filter((one) => {
    if (one.specifier.startsWith('#'))
      return !Object.hasOwn(doors, one.specifier) || one.specifier.slice(1).split('/')[0] === one.from;
    return one.specifier.startsWith('.') && moduleOf(targetOf(one)) !== one.from;
  });
  const found = wrong.map(({ file, specifier }) => `${file} imports ${specifier}`);
  assert.deepEqual(found, []);
});

test('what only tests use is imported only by tests', () => {
  const wrong = served.filter(
    (one) => one.specifier === '#world' || (one.specifier.startsWith('.') && isForTests(targetOf(one))),
  );
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});

test('a package that has one home is imported nowhere else', () => {
  const wrong = served.filter(({ from, specifier }) => {
    const name = Object.keys(HOMES).find((one) => specifier === one || specifier.startsWith(`${one}/`));
    return name !== undefined && !(HOMES[name] ?? []).includes(from);
  });
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});
