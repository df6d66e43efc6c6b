import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { picoText } from '#world';
import { entryMoney, journalTail, recoveredMoney, tear, type Tear } from './journal-tail.ts';
import { judge } from './judgement.ts';
import { withoutStrace } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';
import type { SteadyHeard } from './steady-calls.ts';
import { slowSystemCall } from './system-calls.ts';

const CALLS_PER_SECOND = 150;
const MOST_ANSWERS_BETWEEN = 80;
const SLOW_SYNC_MS = 150;
const TEARS: readonly Tear[] = ['cut', 'garbage', 'zeros'];

test(
  'a power cut that leaves less, garbage or zeros behind the last sync takes nothing that was answered',
  scenario(withoutStrace),
  async (t) => {
    const scene = await openScene(t);
    const { gateway, random } = scene;
    const heard: SteadyHeard[] = [];
    let taken = 0n;
    for (let round = 0; round < RUN.rounds; round += 1) {
      for (const how of TEARS) {
        heard.push(...(await callUntilKilled(scene)));
        const before = await recoveredMoney(gateway.dataDir);
        tear(journalTail(gateway.dataDir), how, random);
        await gateway.restart();
        const after = entryMoney(join(gateway.dataDir, 'journal'));
        // Intents are not synced: a power cut may take them, and with them what their calls may have cost.
        for (const [id, money] of before) if (!after.has(id)) taken += money;
      }
    }
    const faults = { 'power cut': RUN.rounds * TEARS.length };
    await judge(t, scene, { heard, faults, more: { 'taken by power cuts $': picoText(taken) }, unexplained: taken });
  },
);

test(
  'a journal that lost acknowledged bytes is not opened, says which file, and opens once they are back',
  scenario(withoutStrace),
  async (t) => {
    const scene = await openScene(t);
    const { gateway, random } = scene;
    const heard = await callUntilKilled(scene);
    const { path, syncedBytes } = journalTail(gateway.dataDir);
    const whole = readFileSync(path);
    for (let round = 0; round < RUN.rounds; round += 1) {
      truncateSync(path, random.between(1, syncedBytes - 1));
      await assert.rejects(gateway.restart(), (error: Error) => {
        assert.ok(error.message.includes('Apportion cannot start'), error.message);
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
      writeFileSync(path, whole);
    }
    await gateway.restart();
    await judge(t, scene, { heard, faults: { 'journal cut': RUN.rounds } });
  },
);

/** The disk is slow, so that the end comes while much is written and not synced. */
async function callUntilKilled({ gateway, random, steady }: Scene): Promise<readonly SteadyHeard[]> {
  const calls = steady(CALLS_PER_SECOND);
  await calls.seen(random.between(20, MOST_ANSWERS_BETWEEN), ({ acknowledged }) => acknowledged);
  const untrace = await slowSystemCall(gateway.pid(), 'fdatasync', SLOW_SYNC_MS);
  await calls.seen(random.between(1, MOST_ANSWERS_BETWEEN), ({ acknowledged }) => acknowledged);
  await gateway.kill();
  await untrace();
  return calls.stop();
}
