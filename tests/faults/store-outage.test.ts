import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { untilCaughtUp } from './catching-up.ts';
import { megabytes } from './figures.ts';
import { judge } from './judgement.ts';
import type { Resident, Role } from './memory.ts';
import { freeze, nextLedger, withoutProc } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene } from './scene.ts';

const CALLS_PER_SECOND = 200;
const OUTAGES = 3;
/** What caches and compiled code take in a process that has just begun, once. */
const SETTLING_BYTES = 64 * 1024 * 1024;

test(
  'E9, E11: the store stands still again and again while calls go on: none waits, none is lost, memory comes back',
  scenario(withoutProc),
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
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    assert.equal(await nextLedger(gateway), ledger);
    const [first, last] = [after[0], after.at(-1)];
    assert.ok(first !== undefined && last !== undefined);
    const back = (role: Role): string => `${megabytes(first[role])}, ${megabytes(last[role])}`;
    for (const role of ['gateway', 'ledger'] as const)
      assert.ok(last[role] <= first[role] * 1.1 + SETTLING_BYTES, `${role}: ${back(role)}`);
    const figures = { outages: OUTAGES, 'gateway after the first and last': back('gateway') };
    await judge(t, scene, { heard, figures: { ...figures, 'ledger after the first and last': back('ledger') } });
  },
);
