import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROVIDERS } from '#providers';
import { compileTagRules, parseTagPolicy } from '#tags';
import { loadConfig, readAtPlace } from './index.ts';
import { OIDC_KEYS } from './oidc.ts';
import { INNER_KEYS, PROVIDER_KEYS } from './provider-fields.ts';
import { variablesOf } from './provider-entry.ts';
import { DEPLOYMENT_KEYS, LIMIT_KEYS, ROUTE_KEYS } from './read-routes.ts';
import { COOLDOWN_KEYS, RETRY_KEYS } from './read-routing.ts';
import { ROUTER_KEYS, TAG_ROUTING_KEYS } from './read-tag-routing.ts';
import { NO_ROUTING } from './routing.ts';
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

test('the page and the provider schema name the same keys, those inside them included', () => {
  const rows = rowsOf('key of a provider');
  assert.deepEqual(
    rows.map(([key]) => key),
    PROVIDER_KEYS,
  );
  for (const [key, inner] of Object.entries(INNER_KEYS)) {
    const row = rows.find(([name]) => name === key)?.join(' ') ?? '';
    for (const name of inner) assert.ok(row.includes(name), `${key} does not name ${name}`);
  }
});

test('the page and the routing sections name the same keys, and the same defaults', () => {
  const firstCells = (heading: string): (string | undefined)[] => rowsOf(heading).map(([key]) => key);
  assert.deepEqual(firstCells('key of a route'), ROUTE_KEYS);
  assert.deepEqual(firstCells('key of a deployment'), DEPLOYMENT_KEYS);
  assert.deepEqual(firstCells('key of `retries`'), RETRY_KEYS);
  assert.deepEqual(firstCells('key of `cooldown`'), COOLDOWN_KEYS);
  assert.deepEqual(firstCells('key of `tag_routing`'), TAG_ROUTING_KEYS);
  assert.deepEqual(firstCells('key of `router_settings`'), ROUTER_KEYS);
  const limits = rowsOf('key of a deployment').find(([key]) => key === 'limits');
  for (const key of LIMIT_KEYS) assert.ok(limits?.join(' ').includes(key), `limits does not name ${key}`);
  const defaults = [...rowsOf('key of `retries`'), ...rowsOf('key of `cooldown`')].map(([, value]) => value);
  const { retries, cooldown } = NO_ROUTING;
  const real = [retries.maxAttempts, retries.backoffMs, retries.maxBackoffMs, retries.whenUnknown];
  const { failures, forMs, failureRate, windowMs, minCalls } = cooldown;
  assert.deepEqual(defaults, [...real, failures, forMs, failureRate, windowMs, minCalls].map(String));
});

test('the page of people and the section of their provider name the same keys, and its example works', () => {
  const people = readFileSync(join(import.meta.dirname, '../../docs/people-and-roles.md'), 'utf8');
  const table = people.split('| key of `oidc` |')[1]?.split('\n\n')[0] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const keys = rows.flatMap((row) => Array.from(row.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [], ([, key]) => key));
  assert.deepEqual(new Set(keys), new Set(OIDC_KEYS));
  const [example = ''] = examplesOf('people-and-roles.md');
  const env = { APPORTION_CONFIG: 'example.json', OIDC_CLIENT_SECRET: 'a' };
  const { oidc } = loadConfig({ env, readFile: () => example });
  assert.deepEqual([oidc?.clientSecret, oidc?.roles?.claim], ['a', 'realm_access.roles']);
});

test('the page and the tags section name the same keys', () => {
  assert.deepEqual(
    rowsOf('key of `tags`').map(([key]) => key),
    TAGS_KEYS,
  );
});

test('the page names the variables and the address of every known provider', () => {
  const rows = rowsOf('provider | its key').map(([title, keys = '', address = '']) => ({
    title,
    keys: keys.replace(', if it wants one', '').split(', '),
    address,
  }));
  const real = PROVIDERS.map((provider) => {
    const [first, ...others] = variablesOf(provider);
    const turnsOn = provider.baseUrl === null ? '' : ` (${provider.baseUrl})`;
    const unlessStated = provider.cloud === undefined ? `, else ${provider.baseUrl}` : ', needed beside the key';
    return {
      title: provider.title,
      keys: [first, ...others].map((variable) => `${variable}_API_KEY`),
      address: `${first}_BASE_URL${provider.keyless ? ` turns it on${turnsOn}` : unlessStated}`,
    };
  });
  assert.deepEqual(rows, real);
});

/** Each block of the page that is a configuration file. */
const examples = Array.from(page.matchAll(/```jsonc\n([\s\S]*?)```/g), ([, example = '']) => example);

test('the example of tags on the page is a configuration that works', () => {
  const { tags } = loadConfig({ env: { APPORTION_CONFIG: 'example.json' }, readFile: () => examples[2] ?? '' });
  assert.deepEqual(tags.headers, { 'x-department': 'department', 'x-app': null });
  const policy = readAtPlace(tags, () => parseTagPolicy(tags.policy, 'tags.policy'));
  assert.deepEqual([policy.mode, policy.required], ['enforce', ['team', 'feature']]);
  assert.ok(compileTagRules(tags).headers.has('x-app'));
});

test('the first example of the page is a configuration that works', () => {
  const [example = ''] = examples;
  const { providers, routing } = loadConfig({
    env: { APPORTION_CONFIG: 'example.json', OPENAI_API_KEY: 'a', OPENAI_EU_KEY: 'b' },
    readFile: () => example,
  });
  assert.deepEqual(
    providers.map(({ name, apiKey, priceAs, region }) => ({ name, apiKey, priceAs, region })),
    [
      { name: 'openai', apiKey: 'a', priceAs: 'openai', region: '' },
      { name: 'vllm', apiKey: null, priceAs: 'vllm', region: '' },
      { name: 'openai-eu', apiKey: 'b', priceAs: 'openai', region: 'eu' },
      { name: 'house', apiKey: null, priceAs: 'house', region: '' },
    ],
  );
  assert.deepEqual(
    routing.routes.map(({ name, deployments, fallbacks }) => [name, deployments.length, fallbacks]),
    [
      ['fast', 1, []],
      ['smart', 2, ['fast']],
    ],
  );
});

test('the example of prices on the page is a list with one term', () => {
  const { prices } = loadConfig({ env: { APPORTION_CONFIG: 'example.json' }, readFile: () => examples[1] ?? '' });
  assert.equal(prices.terms.length, 1);
});

function examplesOf(name: string): string[] {
  const text = readFileSync(join(import.meta.dirname, `../../docs/${name}`), 'utf8');
  return Array.from(text.matchAll(/```jsonc\n([\s\S]*?)```/g), ([, example = '']) => example);
}

test('the examples on the page of providers are configurations that work', () => {
  const env = {
    APPORTION_CONFIG: 'example.json',
    GROQ_BATCH_KEY: 'a',
    HOUSE_KEY: 'b',
    AZURE_API_KEY: 'c',
    AWS_BEARER_TOKEN_BEDROCK: 'd',
  };
  const found = examplesOf('providers.md').map((example) => loadConfig({ env, readFile: () => example }).providers);
  assert.deepEqual(
    found.flat().map(({ name, priceAs, apiKey }) => [name, priceAs, apiKey]),
    [
      ['groq-batch', 'groq', 'a'],
      ['azure', 'azure', 'c'],
      ['azure-eu', 'azure', null],
      ['bedrock', 'aws', null],
      ['bedrock-eu', 'aws', 'd'],
      ['vertex', 'google', null],
      ['vertex-eu', 'google', null],
      ['house', 'openai', 'b'],
    ],
  );
});

test('the examples on the page of routing work with the providers they name', () => {
  const env = { APPORTION_CONFIG: 'example.json', OPENAI_API_KEY: 'a', OPENROUTER_API_KEY: 'b' };
  const azure = '"providers": { "azure-east": { "wire": "openai", "base_url": "https://east.example.com/v1" } },';
  const found = examplesOf('routing.md').map((example) =>
    loadConfig({ env, readFile: () => example.replace('{', `{ ${azure}`) }),
  );
  assert.deepEqual(
    found.map(({ routing }) => routing.routes.map(({ name }) => name)),
    [['fast', 'smart'], ['gpt-4'], ['gpt-4']],
  );
});
