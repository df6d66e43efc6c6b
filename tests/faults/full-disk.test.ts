import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { untilCaughtUp } from './catching-up.ts';
import { judge } from './judgement.ts';
import { withoutMount } from './processes.ts';
import { assertFailsStop } from './refused-calls.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene } from './scene.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const CALLS_PER_SECOND = 100;
const DISK_MEGABYTES = 128;

test(
  'E10: a full disk stops paid calls with a reason; with room again nothing that was answered is missing',
  scenario(withoutMount),
  async (t) => {
    const { dataDir, disk, leave } = await smallDisk('.');
    const scene = await openScene(t, { dataDir, leave });
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_PER_SECOND, ({ acknowledged }) => acknowledged);
    const refusal = calls.seen(1, ({ status }) => status === 503);
    disk.fill();
    await refusal;
    const heard = [...(await calls.stop())];
    const refused = heard.find(({ status }) => status === 503);
    assert.ok(refused !== undefined);
    await assertFailsStop(scene, refused);
    disk.free();
    await scene.gateway.stop();
    await scene.gateway.restart();
    const later = scene.steady(CALLS_PER_SECOND);
    await later.seen(CALLS_PER_SECOND, ({ acknowledged }) => acknowledged);
    heard.push(...(await later.stop()));
    await judge(t, scene, { heard, faults: { 'disk full': 1 } });
  },
);

test(
  'E9, E10: a store whose own disk is full refuses entries while calls go on, and has them all once there is room',
  scenario(withoutMount),
  async (t) => {
    const { dataDir, disk, leave } = await smallDisk('data/store');
    const scene = await openScene(t, { dataDir, leave });
    const { gateway } = scene;
    const calls = scene.steady(RUN.outagePerSecond);
    await calls.seen(CALLS_PER_SECOND);
    await untilCaughtUp(gateway);
    disk.fill();
    await wait(RUN.outageMs);
    await calls.seen(CALLS_PER_SECOND);
    assert.match(gateway.output(), /shipping failed and is tried again/);
    disk.free();
    await untilCaughtUp(gateway);
    const heard = await calls.stop();
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    await judge(t, scene, { heard, faults: { 'store refuses': 1 } });
  },
);

type DiskOfGateway = { readonly dataDir: string; readonly disk: SmallDisk; readonly leave: () => Promise<void> };

/** A data directory of which a folder is on a disk of its own. */
async function smallDisk(folder: string): Promise<DiskOfGateway> {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-full-'));
  const disk = mountSmallDisk(join(dir, folder), DISK_MEGABYTES);
  return {
    dataDir: join(dir, 'data'),
    disk,
    leave: async () => {
      disk.unmount();
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
