import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { untilCaughtUp } from './catching-up.ts';
import { judge } from './judgement.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';
import type { SteadyHeard } from './steady-calls.ts';

const CALLS_PER_SECOND = 150;

type Shipping = { readonly through: number; readonly [field: string]: unknown };

/** What may be older than what was shipped: each puts something of `earlier` into `store`. */
const SETBACKS: Readonly<Record<string, (store: string, earlier: string) => void>> = {
  'an older record of what was shipped': (store, earlier) => {
    cpSync(join(earlier, 'shipping.json'), join(store, 'shipping.json'));
  },
  'a shipment that is told to be under way and has arrived': (store) => {
    const file = join(store, 'shipping.json');
    const shipping: Shipping = JSON.parse(readFileSync(file, 'utf8'));
    const first = Math.max(1, shipping.through - 20);
    writeFileSync(
      file,
      JSON.stringify({ ...shipping, through: first - 1, sending: { first, last: shipping.through } }),
    );
  },
  'no record of what was shipped': (store) => rmSync(join(store, 'shipping.json')),
  'an older store under a newer record': (store, earlier) => {
    rmSync(join(store, 'chdb'), { recursive: true });
    cpSync(join(earlier, 'chdb'), join(store, 'chdb'), { recursive: true });
  },
};

test('E3: entries that are shipped again, whatever the reason, are in the store once', scenario(), async (t) => {
  const scene = await openScene(t);
  const { gateway } = scene;
  const store = join(gateway.dataDir, 'store');
  const earlier = join(gateway.dataDir, '..', 'earlier-store');
  const latest = join(gateway.dataDir, '..', 'latest-store');
  const heard = [...(await callAndStop(scene))];
  cpSync(store, earlier, { recursive: true });
  await gateway.restart();
  for (let round = 0; round < RUN.rounds; round += 1) {
    for (const setBack of Object.values(SETBACKS)) {
      heard.push(...(await callAndStop(scene)));
      cpSync(store, latest, { recursive: true });
      setBack(store, earlier);
      rmSync(earlier, { recursive: true });
      renameSync(latest, earlier);
      await gateway.restart();
    }
  }
  assert.deepEqual(
    heard.filter(({ acknowledged }) => !acknowledged),
    [],
  );
  await judge(t, scene, { heard, faults: { 'shipped again': RUN.rounds * Object.keys(SETBACKS).length } });
});

async function callAndStop({ gateway, steady }: Scene): Promise<readonly SteadyHeard[]> {
  const calls = steady(CALLS_PER_SECOND);
  await calls.seen(CALLS_PER_SECOND / 3);
  const heard = await calls.stop();
  await untilCaughtUp(gateway);
  await gateway.stop();
  return heard;
}
