import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { untilCaughtUp } from './catching-up.ts';
import { DAMAGES, type Damage } from './damages.ts';
import { judge } from './judgement.ts';
import { freeze, nextLedger, withoutProc } from './processes.ts';
import { RUN } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';

const CALLS_PER_SECOND = 100;
const CALLS_BETWEEN = 60;

const FOUND = /is rebuilt from the journal|it is filled from the journal/;

test(
  'a store that is damaged or gone when its process starts is rebuilt from the journal, loudly, while calls go on',
  { skip: withoutProc },
  (t) =>
    damageStores(t, async ({ gateway, random }, damage) => {
      const ledger = await nextLedger(gateway);
      await freeze(ledger);
      damage(join(gateway.dataDir, 'store'), random);
      process.kill(ledger, 'SIGKILL');
      await nextLedger(gateway, ledger);
    }),
);

test(
  'a store that is damaged under the process that has it open is rebuilt from the journal, loudly, while calls go on',
  { skip: withoutProc },
  (t) =>
    damageStores(t, async ({ gateway, random }, damage) => {
      const ledger = await nextLedger(gateway);
      await freeze(ledger);
      damage(join(gateway.dataDir, 'store'), random);
      process.kill(ledger, 'SIGCONT');
    }),
);

type Strike = (scene: Scene, damage: Damage) => Promise<void>;

async function damageStores(t: TestContext, strike: Strike): Promise<void> {
  const scene = await openScene(t);
  const { gateway } = scene;
  const calls = scene.steady(CALLS_PER_SECOND);
  let struck = 0;
  for (let round = 0; round < RUN.rounds; round += 1) {
    for (const [name, damage] of Object.entries(DAMAGES)) {
      await calls.seen(CALLS_BETWEEN);
      await untilCaughtUp(gateway);
      const saidBefore = gateway.output().length;
      await strike(scene, damage);
      struck += 1;
      await calls.seen(CALLS_BETWEEN);
      await untilCaughtUp(gateway);
      assert.match(gateway.output().slice(saidBefore), FOUND, name);
    }
  }
  const heard = await calls.stop();
  assert.deepEqual(
    heard.filter(({ acknowledged }) => !acknowledged),
    [],
  );
  await judge(t, scene, { heard, figures: { 'damaged stores': struck } });
}
