import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { loadPriceBook } from '#pricing';
import { findProvider, PROVIDERS } from './registry.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/providers.md'), 'utf8');

/** Folders of no provider one signs in to. */
const OTHERS = ['sandbox', 'sign-in'];

const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !OTHERS.includes(entry.name))
  .map(({ name }) => name);

/** Where a dialect is at home: its answers stand with the wire. */
function isHome({ name, dialects }: (typeof PROVIDERS)[number]): boolean {
  return name === dialects[0];
}

test('every folder is a provider in the registry, and the other way round', () => {
  assert.deepEqual(PROVIDERS.map(({ name }) => name).toSorted(), folders.toSorted());
});

test('every provider has the same files, and answers in its own format unless its dialect is at home there', () => {
  for (const provider of PROVIDERS) {
    const files = readdirSync(join(import.meta.dirname, provider.name));
    const wanted = isHome(provider) ? ['index.ts'] : ['answers', 'index.ts'];
    assert.deepEqual(files.filter((file) => wanted.includes(file)).toSorted(), wanted, provider.name);
  }
  for (const provider of PROVIDERS.filter((one) => !isHome(one))) {
    const answers = join(import.meta.dirname, provider.name, 'answers');
    const files = readdirSync(answers);
    assert.ok(
      ['chat.json', 'chat.sse', 'expected.json'].every((file) => files.includes(file)),
      provider.name,
    );
    const told = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(readFileSync(join(answers, 'expected.json'), 'utf8')));
    assert.deepEqual([...Object.keys(told), 'expected.json'].toSorted(), files.toSorted(), provider.name);
  }
});

test('names are distinct, those of variables included', () => {
  const names = PROVIDERS.flatMap(({ name, alsoKnownAs }) => [name, ...alsoKnownAs]);
  const variables = names.map((name) => name.toUpperCase().replaceAll('-', '_'));
  assert.equal(new Set(variables).size, variables.length);
  for (const provider of PROVIDERS) {
    for (const name of [provider.name, ...provider.alsoKnownAs]) assert.equal(findProvider(name), provider);
  }
});

test('addresses have no slash at the end, and a version exactly where the dialect is OpenAI’s', () => {
  for (const { name, baseUrl, dialects } of PROVIDERS) {
    if (baseUrl === null) continue;
    assert.equal(/\/v\d$/.test(baseUrl), dialects.includes('openai'), name);
  }
});

test('every provider has prices, but for those one runs for oneself', async () => {
  const book = await loadPriceBook();
  const without = PROVIDERS.filter(({ priceAs, keyless }) => !keyless && book.models(priceAs).length === 0);
  assert.deepEqual(
    without.map(({ name }) => name),
    [],
  );
});

test('the page has a row and a section for every provider, in the order of the registry', () => {
  const rows = Array.from(
    page.matchAll(/^\| \[([^\]]+)\]\(#[\w-]+\) \| `(\w+)` \| ([\w, ]+) \| (\w+)[^|]* \| (\w+) \|$/gm),
  );
  assert.deepEqual(
    rows.map(([, ...cells]) => cells),
    PROVIDERS.map(({ title, name, dialects, quirks, onDisconnect }) => [
      title,
      name,
      dialects.join(', '),
      quirks.reportedCost !== null || quirks.reportedCostHeader !== null ? 'reported' : 'computed',
      onDisconnect,
    ]),
  );
  const headings = Array.from(page.matchAll(/^## (.+)$/gm), ([, title]) => title);
  assert.deepEqual(headings, [...PROVIDERS.map(({ title }) => title), 'Any other server']);
});

test('each section says how to configure the provider, and what happens when the client leaves', () => {
  const sections = page.split(/^## /m).slice(1);
  for (const { title, name, keyless, onDisconnect, alsoKnownAs } of PROVIDERS) {
    const section = sections.find((one) => one.startsWith(`${title}\n`)) ?? '';
    for (const known of [name, ...alsoKnownAs.filter((alias) => !alias.includes('-'))]) {
      const variable = known.toUpperCase();
      assert.ok(section.includes(`\`${variable}_${keyless ? 'BASE_URL' : 'API_KEY'}\``), `${title}: ${variable}`);
    }
    assert.match(section, new RegExp(`"${name}": \\{`), title);
    assert.match(section, new RegExp(`^- When the client leaves: ${onDisconnect}\\b`, 'm'), title);
  }
});
