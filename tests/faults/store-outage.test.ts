import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { untilCaughtUp } from './catching-up.ts';
import { megabytes } from './figures.ts';
import { judge } from './judgement.ts';
import type { Resident, Role } from './memory.ts';
import { findLedger, freeze, nextLedger, withoutProc } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';

/** Of calls before anything happens: a process that has just begun has not compiled its code, nor filled its caches. */
const WARM_UP_MS = { least: 10_000, most: 60_000 };
/** A tenth, and what caches still take. */
const comeBack = (baseline: number): number => baseline * 1.1 + 64 * 1024 * 1024;

const SLOW_TURN_MS = 200;
const SLOW_SHARE = 0.1;

type Outage = 'store stands still' | 'store slow' | 'store down';

test(
  'E9, E11: the store stands still, is slow, is down while calls go on: none waits, none is lost, memory comes back',
  scenario(withoutProc),
  async (t) => {
    const scene = await openScene(t);
    const { gateway, memory } = scene;
    const calls = scene.steady(RUN.outagePerSecond);
    const warmUpMs = Math.min(WARM_UP_MS.most, Math.max(WARM_UP_MS.least, RUN.outageMs / 3));
    await calls.seen(Math.ceil((RUN.outagePerSecond * warmUpMs) / 1000));
    await untilCaughtUp(gateway);
    const baseline = await memory.calm();
    const allowed = { gateway: comeBack(baseline.gateway), ledger: comeBack(baseline.ledger) };
    const outages = Object.entries(OUTAGES);
    const after: Resident[] = [];
    for (const [, outage] of outages) {
      await outage(scene, RUN.outageMs / outages.length);
      await untilCaughtUp(gateway);
      after.push(await memory.settled(allowed));
    }
    const heard = await calls.stop();
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    const said = (role: Role): string => [baseline, ...after].map((resident) => megabytes(resident[role])).join(', ');
    const more = { 'gateway before and after each': said('gateway'), 'ledger before and after each': said('ledger') };
    await judge(t, scene, { heard, faults: Object.fromEntries(outages.map(([name]) => [name, 1])), more });
    await t.test('memory is back to its baseline after each, while calls go on', () => {
      for (const role of ['gateway', 'ledger'] as const)
        for (const resident of after) assert.ok(resident[role] <= allowed[role], `${role}: ${said(role)}`);
    });
  },
);

const OUTAGES: Readonly<Record<Outage, (scene: Scene, ms: number) => Promise<void>>> = {
  'store stands still': async ({ gateway }, ms) => {
    const ledger = await nextLedger(gateway);
    await freeze(ledger);
    await wait(ms);
    process.kill(ledger, 'SIGCONT');
  },
  /** It runs for a tenth of the time. */
  'store slow': async ({ gateway }, ms) => {
    const ledger = await nextLedger(gateway);
    const until = performance.now() + ms;
    while (performance.now() < until) {
      process.kill(ledger, 'SIGSTOP');
      await wait(SLOW_TURN_MS * (1 - SLOW_SHARE));
      process.kill(ledger, 'SIGCONT');
      await wait(SLOW_TURN_MS * SLOW_SHARE);
    }
  },
  /** It ends as often as it is started. */
  'store down': async ({ gateway }, ms) => {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      const ledger = await findLedger(gateway);
      if (ledger !== undefined) process.kill(ledger, 'SIGKILL');
      await wait(SLOW_TURN_MS);
    }
  },
};
