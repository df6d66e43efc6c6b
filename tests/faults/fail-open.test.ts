import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pico, picoText } from '#world';
import { judge } from './judgement.ts';
import { readLedgerOfRecord } from './ledger-of-record.ts';
import { withoutStrace } from './processes.ts';
import { readMetric } from './refused-calls.ts';
import { scenario } from './run-plan.ts';
import { openScene } from './scene.ts';
import { failSystemCall } from './system-calls.ts';

const CALLS_PER_SECOND = 100;

test(
  'with fail_open calls pass a journal that cannot write: they are in no ledger, and callers, metrics and log say so',
  scenario(withoutStrace),
  async (t) => {
    const scene = await openScene(t, { env: { APPORTION_FAIL_OPEN: 'true' } });
    const { gateway, random } = scene;
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_PER_SECOND / 2);
    const untrace = await failSystemCall(gateway.pid(), {
      call: 'pwrite64',
      error: 'EIO',
      when: random.between(1, 20),
    });
    await calls.seen(CALLS_PER_SECOND / 2, ({ recorded }) => !recorded);
    await untrace();
    const heard = await calls.stop();
    assert.deepEqual(
      heard.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
    assert.match(gateway.output(), /calls pass unrecorded/);
    const counted = await readMetric(gateway.url, 'apportion_unrecorded_calls_total');
    const countedUsd = await readMetric(gateway.url, 'apportion_unrecorded_cost_usd_total');

    const { settled } = readLedgerOfRecord(gateway.dataDir);
    const unrecorded = heard.filter(({ upstreamId }) => !settled.has(upstreamId));
    const missing = unrecorded.reduce((sum, { cost }) => sum + pico(cost), 0n);
    assert.equal(unrecorded.length, counted);
    assert.ok(Math.abs(countedUsd - Number(picoText(missing))) < 1e-9, `${countedUsd} is not ${picoText(missing)}`);

    await gateway.stop();
    await gateway.restart();
    await judge(t, scene, {
      heard: heard.filter(({ upstreamId }) => settled.has(upstreamId)),
      faults: { 'disk error': 1 },
      more: { unrecorded: counted, 'unrecorded $': picoText(missing) },
      unexplained: missing,
    });
  },
);
