import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailsStop } from './refused-calls.ts';
import { judge } from './judgement.ts';
import { withoutStrace } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';
import type { SteadyHeard } from './steady-calls.ts';
import { failSystemCall, type SystemCallFault } from './system-calls.ts';

const CALLS_PER_SECOND = 100;
const LATEST = 40;

const FAULTS: readonly Omit<SystemCallFault, 'when'>[] = [
  { call: 'fdatasync', error: 'EIO' },
  { call: 'pwrite64', error: 'EIO' },
  { call: 'pwrite64', error: 'ENOSPC' },
];

test(
  'a disk that refuses a sync or a write once stops all paid calls until a restart, and what was answered is there',
  scenario(withoutStrace),
  async (t) => {
    const scene = await openScene(t);
    const heard: SteadyHeard[] = [];
    for (let round = 0; round < RUN.rounds; round += 1) {
      for (const fault of FAULTS) {
        heard.push(...(await strike(scene, fault)));
        // By an operator who waits for the end of calls, or by one who does not.
        await (scene.random.next() < 0.5 ? scene.gateway.stop() : scene.gateway.kill());
        await scene.gateway.restart();
      }
    }
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_PER_SECOND, ({ acknowledged }) => acknowledged);
    heard.push(...(await calls.stop()));
    await judge(t, scene, { heard, faults: { 'disk error': RUN.rounds * FAULTS.length } });
  },
);

/** Calls until the disk refuses and all calls have ended. */
async function strike(scene: Scene, fault: Omit<SystemCallFault, 'when'>): Promise<readonly SteadyHeard[]> {
  const calls = scene.steady(CALLS_PER_SECOND);
  const refusal = calls.seen(1, ({ status }) => status === 503);
  await calls.seen(scene.random.between(1, LATEST), ({ acknowledged }) => acknowledged);
  const untrace = await failSystemCall(scene.gateway.pid(), { ...fault, when: scene.random.between(1, LATEST) });
  await refusal;
  await untrace();
  const heard = await calls.stop();
  const refused = heard.find(({ status }) => status === 503);
  assert.ok(refused !== undefined);
  await assertFailsStop(scene, refused);
  return heard;
}
