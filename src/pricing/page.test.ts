import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { COST_STATES, formatUsd, METERS, type Usage } from '#terms';
import { combineTerms, parsePriceTerm } from './parse-price-term.ts';
import { loadPriceBook } from './load.ts';
import { makePrices } from './prices.ts';
import { instant } from './row-fixture.ts';

const page = await readFile(new URL('../../docs/prices.md', import.meta.url), 'utf8');
const terms = Array.from(page.matchAll(/```json\n([^`]+)```/g), ([, text = '']) => parsePriceTerm(JSON.parse(text)));

/** The first cells of a table, which the page writes in backticks. */
function firstCells(heading: string): string[] {
  const table = page.slice(page.indexOf(`| ${heading} |`)).split('\n\n')[0] ?? '';
  return Array.from(table.matchAll(/^\| `([a-z_]+)` \|/gm), ([, name = '']) => name);
}

test('every term on the page of prices is one', () => {
  const { rows, contracts, markups } = combineTerms(terms);
  assert.deepEqual([rows.length, contracts.length, markups.length], [2, 2, 1]);
});

test('the page of prices names every cost state, and every reason for having no price', async () => {
  assert.deepEqual(firstCells('state').toSorted(), [...COST_STATES].toSorted());
  const sources = ['rate.ts', 'charge-lines.ts', 'price-match.ts'].map((name) =>
    readFile(new URL(name, import.meta.url), 'utf8'),
  );
  const said = (await Promise.all(sources)).join('\n').matchAll(/'([a-z_]+_(?:without_price|inconsistent|invalid))'/g);
  assert.deepEqual(new Set(firstCells('reason')), new Set(Array.from(said, ([, reason]) => reason)));
});

test('the meters that the page names exist', () => {
  const fees = [
    'web_search',
    'grounded_prompt',
    'file_search',
    'image',
    'page',
    'input_characters',
    'audio_seconds',
    'request',
  ];
  for (const meter of fees) {
    assert.ok(page.includes(`\`${meter}\``), meter);
    assert.ok(
      METERS.some((known) => known === meter),
      meter,
    );
  }
});

test('the example of the page costs what it says', async () => {
  const deal = [
    parsePriceTerm({ kind: 'contract', id: 'c', provider: 'openai', discount: '0.125' }),
    parsePriceTerm({ kind: 'markup', id: 'm', markup: '0.035' }),
  ];
  const usage: Usage = { meters: { input: 11_321, cache_read: 1_024, output_text: 678 }, origin: 'reported', raw: '' };
  const rated = makePrices(await loadPriceBook(), combineTerms(deal)).price(usage, {
    provider: 'openai',
    account: 'openai',
    answered: 'gpt-4o-mini-2024-07-18',
    asked: 'gpt-4o-mini',
    region: '',
    at: instant('2026-11-21'),
    payer: { key: '', team: '', dimensions: new Map() },
  });
  for (const { meter, quantity, unitPrice, amount } of rated.charges)
    assert.ok(page.includes(`| \`${meter}\` | ${quantity} | ${unitPrice.amount} | ${formatUsd(amount)} |`), meter);
  const amounts = [rated.listCost, rated.cost, rated.billed].map((one) => (one === null ? '' : formatUsd(one)));
  assert.ok(page.includes(`List cost ${amounts[0]}, cost ${amounts[1]}, billed ${amounts[2]}:`), amounts.join(' '));
});
