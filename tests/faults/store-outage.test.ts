import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { untilCaughtUp } from './catching-up.ts';
import { megabytes } from './figures.ts';
import { judge } from './judgement.ts';
import type { Resident } from './memory.ts';
import { freeze, nextLedger, withoutProc } from './processes.ts';
import { RUN } from './run-plan.ts';
import { openScene } from './scene.ts';

const CALLS_PER_SECOND = 200;
const OUTAGES = 3;

test(
  'E9, E11: the store stands still again and again while calls go on: none waits, none is lost, memory comes back',
  { skip: withoutProc },
  async (t) => {
    const scene = await openScene(t);
    const { gateway, memory } = scene;
    const ledger = await nextLedger(gateway);
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_PER_SECOND);
    const after: Resident[] = [];
    for (let outage = 0; outage < OUTAGES; outage += 1) {
      await freeze(ledger);
      await wait(RUN.outageMs / OUTAGES);
      process.kill(ledger, 'SIGCONT');
      await untilCaughtUp(gateway);
      after.push(await memory.calm());
    }
    const heard = await calls.stop();
    await untilCaughtUp(gateway);
    console.log(after.map(({ gateway: g, ledger: l }) => `${megabytes(g)} ${megabytes(l)}`));
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    assert.equal(await nextLedger(gateway), ledger);
    await judge(t, scene, { heard, figures: { outages: OUTAGES } });
  },
);
