import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { openEngine } from '../store/connection.ts';
import { keptLog, sampleEntry, tempDir } from '../store/sample.fixture.ts';
import { openStore } from '../store/store.ts';
import { Findings } from './finding.ts';
import { checkRollUps } from './store-rollups.ts';
import { openStoreSession } from './store-session.ts';

const NODE = 'node_a';

async function rulesBroken(path: string): Promise<readonly string[]> {
  const session = await openStoreSession(path);
  assert.ok(session !== null);
  const findings = new Findings();
  assert.ok((await checkRollUps(session, NODE, findings)) > 10);
  await session.close();
  return findings.list().map(({ rule, what }) => `${rule}: ${what}`);
}

test('a roll-up that does not come to what its entries come to is named with its dimension', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock, sumEntries: 1 });
  const lines = [1, 2].map((seq) =>
    Buffer.from(`{"node_id":"${NODE}","seq":${seq},${sampleEntry(seq, { cost: 10n }).slice(1)}`),
  );
  await store.insert({ nodeId: NODE, first: 1, last: 2, generation: 0, lines });
  store.reached(NODE, 2);
  await store.kept();
  for (const _ of [1, 2]) assert.equal(store.cells("model = 'a'", 'day', { nodeId: NODE, seq: 2, at: null }), null);
  await store.kept();
  const table = store.cells("model = 'a'", 'day', { nodeId: NODE, seq: 2, at: null })?.table;
  await store.close();
  assert.deepEqual(await rulesBroken(dir.path), []);

  const engine = await openEngine({ path: dir.path }, { log: keptLog(), clock: systemClock });
  const connection = engine.connect();
  await connection.run(
    "ALTER TABLE sums UPDATE cost = cost + 1 WHERE dimension IN ('model', 'untagged') SETTINGS mutations_sync=2",
  );
  await connection.run(`ALTER TABLE ${table} UPDATE narrow_cost = narrow_cost + 1 WHERE 1 SETTINGS mutations_sync=2`);
  await connection.close();
  await engine.close();
  assert.deepEqual((await rulesBroken(dir.path)).toSorted(), [
    'store.rollups: cost summed up by model is 21, of the entries 20',
    'store.rollups: cost summed up by untagged is 21, of the entries 20',
    `store.rollups: n_cost of traits 8193 in ${table} is 21, of the entries 20`,
  ]);
});
