import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { writeSnapshot, type BudgetRecord } from '#accounts';
import { systemClock } from '#std';
import { picoUsd } from '#terms';
import { checkpointText, readCheckpoint, writeCheckpoint, type Checkpoint } from '../journal/checkpoint.ts';
import { budgetOf, priced, rulesOf, WISH } from '../journal/governed.fixture.ts';
import { NODE_ID, openSample, sampleDeps, scratchDir } from '../journal/sample.fixture.ts';
import { writeNode } from '../node-file.ts';
import { checkCounters } from './counters-check.ts';
import { Findings } from './finding.ts';

const BUDGET = budgetOf({
  id: 'each-key',
  limit: picoUsd(10n ** 12n),
  scope: [{ on: 'key', values: { kind: 'each' } }],
  window: { kind: 'month', count: 1, startsOn: 1, zone: 'UTC' },
});

const OF = { nodeId: NODE_ID, epoch: 1 };

/** A stopped node, two of whose keys spent 3 and 4 pico-dollars, and one has a call in doubt. */
async function spentNode(t: TestContext): Promise<string> {
  const dir = scratchDir(t);
  mkdirSync(join(dir, 'journal'));
  writeNode(dir, { node_id: NODE_ID, epoch: 1, created_at: '', host: '' });
  const record: BudgetRecord = {
    ...BUDGET,
    limit: '1',
    raise: null,
    origin: { kind: 'api', id: '' },
    createdAt: systemClock.now(),
    createdBy: 'test',
    updatedAt: systemClock.now(),
    deletedAt: null,
    revision: 1,
  };
  const nothing = { keys: [], teams: [], priceTerms: [], limits: [] };
  const snapshot = { ...nothing, revision: 1, adminKeyHash: null, budgets: [record] };
  await writeSnapshot(join(dir, 'control-snapshot.json'), snapshot);
  const journal = await openSample(t, sampleDeps(join(dir, 'journal')));
  await journal.govern(rulesOf([BUDGET]));
  for (const [key, cost] of [
    ['key_1', 3n],
    ['key_2', 4n],
    ['key_2', null],
  ] as const) {
    const call = priced({ call: { key } });
    await journal.reserve(call.attempt, call.intent, WISH);
    await journal.settle(call.attempt, call.ended(cost), cost === null ? null : picoUsd(cost));
  }
  await journal.close();
  return dir;
}

async function faults(dir: string): Promise<readonly string[]> {
  const findings = new Findings();
  await checkCounters(dir, systemClock.now(), findings);
  return findings.list().map(({ rule, what }) => `${rule} ${what.replace(/since \S+:/, 'since …:')}`);
}

function change(dir: string, to: (cells: Checkpoint['rows']['cells']) => Checkpoint['rows']['cells']): void {
  const journal = join(dir, 'journal');
  const saved = readCheckpoint(journal, OF) ?? assert.fail('the counters are saved');
  writeCheckpoint(journal, checkpointText({ ...saved, rows: { ...saved.rows, cells: to(saved.rows.cells) } }));
}

test('saved counters of budgets are what the entries cost, counted again', async (t) => {
  const dir = await spentNode(t);
  const findings = new Findings();
  const figures = await checkCounters(dir, systemClock.now(), findings);
  assert.deepEqual([figures, findings.list()], [{ counters: 2, compared: 2 }, []]);
});

test('a counter that was changed or taken out, its checksum made right, is named with its budget and value', async (t) => {
  const dir = await spentNode(t);
  change(dir, (cells) => cells.map((cell) => ({ ...cell, spent: cell.instance[0] === 'key_1' ? '1' : cell.spent })));
  const one =
    'budgets.spent budget each-key key_1 since …: 0.000000000001 USD are counted, and 0.000000000003 recorded';
  assert.deepEqual(await faults(dir), [one]);
  change(dir, (cells) => cells.filter((cell) => cell.instance[0] === 'key_1'));
  const other = 'budgets.spent budget each-key key_2 since …: 0 USD are counted, and 0.000000000004 recorded';
  assert.deepEqual((await faults(dir)).toSorted(), [one, other]);
});

test('counters that the next start makes anew, or that know more than the entries still say, are not compared', async (t) => {
  const dir = await spentNode(t);
  change(dir, () => []);
  mkdirSync(join(dir, 'erasures'));
  writeFileSync(join(dir, 'erasures', 'done.jsonl'), '{}\n');
  assert.deepEqual(await faults(dir), []);
  writeFileSync(join(dir, 'journal', 'counters.json'), 'nonsense');
  assert.deepEqual(await checkCounters(dir, systemClock.now(), new Findings()), { counters: null, compared: null });
});
