import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkDataDir } from '#cli';
import { startGateway, startUpstreamProcess, until, type Gateway } from '#world';
import { ask, whenStored } from './record.ts';

const DAY_MS = 86_400_000;
const PRELOAD = fileURLToPath(new URL('../faults/shifted-clock.fixture.ts', import.meta.url));

type Event = { id: string | null; session_id: string | null; cost_usd_exact: string };

test('detail that is older than store.retention_days is gone from a running server; every sum stays, and the doctor is content', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'apportion-retention-'));
  const clock = join(folder, 'clock');
  await writeFile(clock, String(-5 * DAY_MS));
  const upstream = await startUpstreamProcess();
  const env = { NODE_OPTIONS: `--import=${PRELOAD}`, APPORTION_TEST_CLOCK: clock, APPORTION_STORE_RETENTION_DAYS: '2' };
  const gateway = await startGateway({ upstream, env });
  try {
    for (const session of ['one', 'two']) await call(gateway, session);
    await whenStored(gateway);
    const before = await events(gateway);
    assert.deepEqual(
      before.data.map(({ session_id: session }) => session),
      ['two', 'one'],
    );
    await gateway.stop();
    await writeFile(clock, '0');
    await gateway.restart();
    await call(gateway, 'three');
    const after = await until('the old detail to be gone', 90_000, async () => {
      const list = await events(gateway).catch(() => null);
      return list?.data.length === 3 && list.data.at(-1)?.id === null ? list : undefined;
    });
    assert.deepEqual(
      after.data.slice(1),
      before.data.map((event) => ({ ...event, id: null, entry_id: null, session_id: null })),
    );
    assert.equal(after.detail_kept?.days, 2);
    const [first] = before.data;
    await assert.rejects(ask(gateway, `/v1/events/${first?.id}`), /is older than 2 days/);
    await gateway.stop();
    assert.deepEqual(await checkDataDir(gateway.dataDir), []);
  } finally {
    await gateway.close();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  }
});

async function call(gateway: Gateway, session: string): Promise<void> {
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-4o',
      session_id: session,
      tags: { team: 'core' },
      messages: [{ role: 'user', content: 'seed=1 completion_tokens=5' }],
    }),
  });
  assert.equal(answer.status, 200);
  await answer.text();
}

type Events = { readonly data: readonly Event[]; readonly detail_kept: { readonly days: number } | null };

async function events(gateway: Gateway): Promise<Events> {
  return JSON.parse(await ask(gateway, '/v1/events'));
}
