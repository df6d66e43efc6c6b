import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { untilCaughtUp } from './catching-up.ts';
import { judge } from './judgement.ts';
import { withoutMount } from './processes.ts';
import { assertFailsStop } from './refused-calls.ts';
import { openScene } from './scene.ts';
import { mountSmallDisk } from './small-disk.ts';

const CALLS_PER_SECOND = 100;
const DISK_MEGABYTES = 128;

test(
  'E10: a full disk stops paid calls with a reason; with room again nothing that was answered is missing',
  { skip: withoutMount },
  async (t) => {
    const disk = mountSmallDisk(t, await scratch(t), DISK_MEGABYTES);
    const scene = await openScene(t, { dataDir: join(disk.dir, 'data') });
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
    await judge(t, scene, { heard, figures: { 'full disks': 1 } });
  },
);

test(
  'a store whose own disk is full refuses entries while calls go on, and has them all once there is room',
  { skip: withoutMount },
  async (t) => {
    const dataDir = await scratch(t);
    const disk = mountSmallDisk(t, join(dataDir, 'store'), DISK_MEGABYTES);
    const scene = await openScene(t, { dataDir });
    const { gateway } = scene;
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_PER_SECOND);
    await untilCaughtUp(gateway);
    disk.fill();
    await calls.seen(2 * CALLS_PER_SECOND);
    assert.match(gateway.output(), /shipping failed and is tried again/);
    disk.free();
    await untilCaughtUp(gateway);
    const heard = await calls.stop();
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    await judge(t, scene, { heard, figures: { 'full disks': 1 } });
  },
);

async function scratch(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-full-'));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return dir;
}
