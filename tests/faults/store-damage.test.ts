import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Gateway } from '#world';
import { untilCaughtUp } from './catching-up.ts';
import { DAMAGES_AT_START, DAMAGES_WHILE_OPEN, type Damage } from './damages.ts';
import { judge } from './judgement.ts';
import { freeze, nextLedger, withoutProc } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';

const CALLS_PER_SECOND = 100;
const CALLS_BETWEEN = 60;

const FOUND = /rebuilt from the journal|it is filled from the journal/;

test(
  'a store that is damaged or gone when its process starts is rebuilt from the journal, loudly, while calls go on',
  scenario(withoutProc),
  (t) =>
    damageStores(t, inTurn(DAMAGES_AT_START, DAMAGES_WHILE_OPEN), async ({ gateway, random }, damage) => {
      const ledger = await nextLedger(gateway);
      await freeze(ledger);
      damage(join(gateway.dataDir, 'store'), random);
      process.kill(ledger, 'SIGKILL');
      await nextLedger(gateway, ledger);
    }),
);

test(
  'a store that is damaged under the process that has it open is rebuilt from the journal, loudly, while calls go on',
  scenario(withoutProc),
  (t) =>
    damageStores(t, inTurn(DAMAGES_WHILE_OPEN, DAMAGES_AT_START), async ({ gateway, random }, damage) => {
      const ledger = await nextLedger(gateway);
      await freeze(ledger);
      damage(join(gateway.dataDir, 'store'), random);
      process.kill(ledger, 'SIGCONT');
    }),
);

type Strike = (scene: Scene, damage: Damage) => Promise<void>;
type Damages = Readonly<Record<string, Damage>>;

/** Those that are likely at that moment in every second round, the others between them. */
function inTurn(likely: Damages, others: Damages): readonly [string, Damage][] {
  return Array.from({ length: RUN.rounds }, (_, round) => Object.entries(round % 2 === 0 ? likely : others)).flat();
}

/** Only the last of it is kept, so a place in it says nothing. */
function outputSince(gateway: Gateway, before: string): string {
  const now = gateway.output();
  const at = now.lastIndexOf(before.slice(-500));
  return at < 0 ? now : now.slice(at + Math.min(500, before.length));
}

async function damageStores(t: TestContext, damages: readonly [string, Damage][], strike: Strike): Promise<void> {
  const scene = await openScene(t);
  const { gateway } = scene;
  const calls = scene.steady(CALLS_PER_SECOND);
  const unseen: string[] = [];
  for (const [name, damage] of damages) {
    await calls.seen(CALLS_BETWEEN);
    await untilCaughtUp(gateway);
    const saidBefore = gateway.output();
    await strike(scene, damage);
    await calls.seen(CALLS_BETWEEN);
    await untilCaughtUp(gateway);
    if (!FOUND.test(outputSince(gateway, saidBefore))) unseen.push(name);
  }
  const heard = await calls.stop();
  assert.deepEqual(
    heard.filter(({ acknowledged }) => !acknowledged),
    [],
  );
  // A merge that had read the files before they were damaged writes them anew: then there is nothing to find.
  assert.ok(unseen.length * 2 < damages.length, unseen.join());
  const more = { 'healed by a merge': unseen.length };
  await judge(t, scene, { heard, faults: { 'store damaged': damages.length }, more });
}
