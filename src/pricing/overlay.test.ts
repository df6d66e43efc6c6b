import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findOrphans, loadOverlay } from './load.ts';
import { parseOverlay, PriceFileError } from './overlay.ts';
import { instant, makeRow } from './row-fixture.ts';

const ROW = {
  id: 'a',
  provider: 'acme',
  model: 'acme-1',
  effective_from: '2026-01-02',
  rates: { input: { amount: '0.15', per: 1_000_000 }, output_text: { amount: '0.6', per: 1_000_000 } },
  source: 'https://acme.example/prices',
  checked: '2026-11-21',
};

function parse(...rows: readonly unknown[]) {
  return parseOverlay([{ name: 'prices/acme.json', text: JSON.stringify({ rows }) }]);
}

function faults(...rows: readonly unknown[]): readonly string[] {
  try {
    parse(...rows);
  } catch (error) {
    if (error instanceof PriceFileError) return error.faults;
    throw error;
  }
  return [];
}

test('a price file is read from its folder, its dates as UTC days', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'apportion-prices-'));
  try {
    await writeFile(join(folder, 'README.md'), 'not a price file');
    await writeFile(
      join(folder, 'acme.json'),
      JSON.stringify({ about: 'x', rows: [{ ...ROW, window: { from: '23:30', to: '01:00', days: [6, 5] } }] }),
    );
    const [row] = await loadOverlay(folder);
    assert.equal(row?.effectiveFrom, instant('2026-01-02T00:00:00Z'));
    assert.deepEqual(row?.window, { fromSecond: 84_600, toSecond: 3_600, days: [5, 6] });
    assert.deepEqual(row?.match, [{ kind: 'id', id: 'acme-1' }]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the example of prices/README.md is a price file', async () => {
  const readme = await readFile(new URL('../../prices/README.md', import.meta.url), 'utf8');
  const text = /```json\n([^`]+)```/.exec(readme)?.[1] ?? '';
  assert.equal(parseOverlay([{ name: 'prices/README.md', text }])[0]?.id, 'acme/acme-1/2026-01-02');
});

test('reasoning is priced as output text wherever the row has no own price for it', () => {
  const rates = { output_text: { amount: '9', per: 1 } };
  const [row] = parse({ ...ROW, tiers: [{ threshold: 5, op: 'gt', rates }], service_tiers: { priority: { rates } } });
  assert.deepEqual(row?.rates.output_reasoning, ROW.rates.output_text);
  assert.deepEqual(row?.tiers?.[0]?.rates.output_reasoning, rates.output_text);
  assert.deepEqual(row?.serviceTiers?.['priority'], { rates: { ...rates, output_reasoning: rates.output_text } });
  const own = { ...ROW.rates, output_reasoning: { amount: '1', per: 1 } };
  const [priced] = parse({ ...ROW, rates: own, tiers: [{ threshold: 5, op: 'gt', rates }] });
  assert.deepEqual(priced?.tiers?.[0]?.rates, rates);
});

test('P17 a fault names file, row and field, and all faults are told at once', () => {
  const input = (value: unknown): unknown => ({ ...ROW, rates: { input: value } });
  const told = faults(
    input({ amount: 0.15, per: 1 }),
    input({ amount: '-1', per: 1 }),
    input({ amount: '1', per: 0 }),
    { ...ROW, rates: { tokens: { amount: '1', per: 1 } } },
    { ...ROW, effective_from: 'soon' },
    { ...ROW, colour: 'red' },
    { ...ROW, model: '*' },
    { ...ROW, match: [{ pattern: 'acme' }] },
    { ...ROW, tiers: [{ threshold: 1, op: 'gt', rates: { input_audio: { amount: '1', per: 1 } } }] },
    { ...ROW, service_tiers: { flex: { factor: 0.5 } } },
  );
  const fields = [
    'rates.input.amount',
    'rates.input.amount',
    'rates.input.per',
    'rates',
    'effective_from',
    '(row)',
    'rates',
    'match',
    'tiers',
    'service_tiers.flex',
  ];
  assert.equal(told.length, fields.length, told.join('\n'));
  for (const [at, field] of fields.entries())
    assert.ok(
      told[at]?.startsWith(`prices/acme.json: row ${at + 1} "a": ${field}`),
      `${told[at]} should name ${field}`,
    );
});

test('P17 a file that is no list of rows and an id used twice are faults', () => {
  assert.throws(() => parseOverlay([{ name: 'prices/x.json', text: '{"rows":' }]), /prices\/x\.json: .*object/);
  assert.deepEqual(faults(ROW, { ...ROW, model: 'acme-2' }), [
    'prices/acme.json: row 2 "a": the id is taken by prices/acme.json: row 1 "a"',
  ]);
});

test('P8 two rows of one source that begin at once are refused', () => {
  assert.deepEqual(faults(ROW, { ...ROW, id: 'twin' }), ['a and twin hold from the same moment on']);
  assert.deepEqual(faults(ROW, { ...ROW, id: 'later', effective_from: '2026-01-03' }), []);
});

test('P17 a row that changes a model nobody prices is a fault', () => {
  const priority = makeRow({ id: 'priority', model: 'typo', rates: {}, serviceTiers: { priority: { factor: '2' } } });
  assert.deepEqual(findOrphans([priority, makeRow()]), ['row "priority": no row prices p/typo']);
  assert.deepEqual(findOrphans([{ ...priority, model: 'm' }, makeRow()]), []);
});
