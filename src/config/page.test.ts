import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileTagRules, parseTagPolicy } from '#tags';
import { loadConfig, readAtPlace } from './index.ts';
import { KNOWN_PROVIDER_NAMES, PROVIDER_KEYS } from './providers.ts';
import { SETTINGS } from './settings.ts';
import { TAGS_KEYS } from './tags.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');

/** The first cells of each table row under a heading, without their back-ticks. */
function rowsOf(firstCell: string): string[][] {
  const table = page.split(`| ${firstCell} |`)[1]?.split('\n\n')[0] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

test('the page and the settings name the same variables, file keys and defaults', () => {
  const described = rowsOf('variable | in the file').map(([variable, file, fallback]) => ({
    variable,
    file,
    fallback,
  }));
  const real = Object.values(SETTINGS).map(({ env, file, fallback }) => ({
    variable: env,
    file: file ?? '',
    fallback: fallback === null ? '' : String(fallback),
  }));
  const byName = (a: { variable?: string | undefined }, b: { variable?: string | undefined }): number =>
    String(a.variable) < String(b.variable) ? -1 : 1;
  const withoutWords = described.map((row) =>
    /^(?:made on first start|none)$/.test(row.fallback ?? '') ? { ...row, fallback: '' } : row,
  );
  assert.deepEqual(withoutWords.toSorted(byName), real.toSorted(byName));
});

test('the page and the provider schema name the same keys', () => {
  assert.deepEqual(new Set(rowsOf('key of a provider').map(([key]) => key)), new Set(PROVIDER_KEYS));
});

test('the page and the tags section name the same keys', () => {
  assert.deepEqual(
    rowsOf('key of `tags`').map(([key]) => key),
    TAGS_KEYS,
  );
});

test('the page names the variables of every known provider', () => {
  const wanted = KNOWN_PROVIDER_NAMES.flatMap((name) => [
    `${name.toUpperCase()}_API_KEY`,
    `${name.toUpperCase()}_BASE_URL`,
  ]);
  assert.deepEqual(
    rowsOf('variable | what it is').map(([variable]) => variable),
    wanted,
  );
});

/** Each block of the page that is a configuration file. */
const examples = Array.from(page.matchAll(/```jsonc\n([\s\S]*?)```/g), ([, example = '']) => example);

test('the example of tags on the page is a configuration that works', () => {
  const { tags } = loadConfig({ env: { APPORTION_CONFIG: 'example.json' }, readFile: () => examples[1] ?? '' });
  assert.deepEqual(tags.headers, { 'x-department': 'department', 'x-app': null });
  const policy = readAtPlace(tags, () => parseTagPolicy(tags.policy, 'tags.policy'));
  assert.deepEqual([policy.mode, policy.required], ['enforce', ['team', 'feature']]);
  assert.ok(compileTagRules(tags).headers.has('x-app'));
});

test('the example of the page is a configuration that works', () => {
  const [example = ''] = examples;
  const config = loadConfig({
    env: { APPORTION_CONFIG: 'example.json', OPENAI_API_KEY: 'a', OPENAI_EU_KEY: 'b' },
    readFile: () => example,
  });
  assert.deepEqual(
    config.providers.map(({ name, apiKey, priceAs }) => ({ name, apiKey, priceAs })),
    [
      { name: 'openai', apiKey: 'a', priceAs: 'openai' },
      { name: 'vllm', apiKey: null, priceAs: 'vllm' },
      { name: 'openai-eu', apiKey: 'b', priceAs: 'openai' },
    ],
  );
});
