import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readEntries } from '#ledger/read';
import { ADMIN_KEY, driveLoad, pico, planCalls, startGateway, startUpstreamProcess, until, type Gateway } from '#world';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const CONNECTIONS = 64;

/** As a user calls it: its own process, beside the server. */
async function apportion(...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`${args.join(' ')}: ${out}${err}`));
    });
  });
}

type Report = {
  readonly data: readonly object[];
  readonly summary: { readonly total_cost_exact: string; readonly total_events: number };
  readonly as_of: { readonly seq: number };
};

async function report(gateway: Gateway): Promise<Report> {
  const path = '/v1/analytics/costs?start_date=2020-01-01&group_by=tags.feature';
  const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}

/** The report once it is of the entry `seq`. */
function reportOf(gateway: Gateway, seq: number): Promise<Report> {
  return until(`the store to have entry ${seq}`, 60_000, async () => {
    const found = await report(gateway);
    return found.as_of.seq >= seq ? found : undefined;
  });
}

function entriesOf(dataDir: string): { readonly seq: number; readonly text: string; readonly cost: bigint | null }[] {
  return Array.from(readEntries(join(dataDir, 'journal')), ({ seq, body }) => {
    const text = body.toString();
    const { cost }: { cost: string | null } = JSON.parse(text);
    return { seq, text, cost: cost === null ? null : BigInt(cost) };
  });
}

function sumOf(entries: readonly { readonly cost: bigint | null }[]): bigint {
  return entries.flatMap(({ cost }) => cost ?? []).reduce((sum, cost) => sum + cost, 0n);
}

test('a server is backed up under load and at rest; what is restored has every entry, and the same reports', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'apportion-restore-'));
  t.after(() => rm(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const original = await startGateway({ upstream });
  t.after(() => original.close());
  const load = driveLoad({
    calls: planCalls({ count: 1_500, seed: 5, behaviour: { delay: 20, chunk_delay: 2 } }),
    concurrency: CONNECTIONS,
    target: () => Promise.resolve({ url: original.url, key: ADMIN_KEY }),
  });
  await until('some calls to be recorded', 20_000, () =>
    Promise.resolve(entriesOf(original.dataDir).length > 200 ? true : undefined),
  );
  const acknowledged = entriesOf(original.dataDir).length;
  const said = await apportion('backup', '--data-dir', original.dataDir, join(parent, 'under-load'));
  assert.match(said, /The server went on/);
  const outcomes = await load;
  assert.deepEqual(
    outcomes.filter((outcome) => !outcome.acknowledged),
    [],
    'no call was hurt',
  );
  const entries = entriesOf(original.dataDir);
  const before = await reportOf(original, entries.length);
  await apportion('backup', '--data-dir', original.dataDir, join(parent, 'at-rest.tar'));
  await original.stop();

  await t.test('at rest: the report is the one it was, and calls go on', async (t2) => {
    const dataDir = join(parent, 'restored');
    await apportion('restore', '--data-dir', dataDir, join(parent, 'at-rest.tar'));
    const restored = await startGateway({ upstream, dataDir });
    t2.after(() => restored.close());
    const after = await reportOf(restored, entries.length);
    assert.deepEqual([after.data, after.summary], [before.data, before.summary]);
    const [outcome] = await driveLoad({
      calls: planCalls({ count: 1, seed: 6 }),
      concurrency: 1,
      target: () => Promise.resolve({ url: restored.url, key: ADMIN_KEY }),
    });
    assert.equal(outcome?.acknowledged, true);
    assert.equal(entriesOf(dataDir).length, entries.length + 1);
  });

  await t.test('under load: every entry acknowledged before is there, those in flight are in doubt', async (t2) => {
    const dataDir = join(parent, 'restored-early');
    await apportion('restore', '--data-dir', dataDir, join(parent, 'under-load'));
    const kept = entriesOf(dataDir);
    assert.ok(kept.length >= acknowledged && kept.length < entries.length, `${acknowledged}, ${kept.length}`);
    assert.deepEqual(kept, entries.slice(0, kept.length));
    const restored = await startGateway({ upstream, dataDir });
    t2.after(() => restored.close());
    const opened = entriesOf(dataDir);
    const { summary } = await reportOf(restored, opened.length);
    assert.equal(pico(summary.total_cost_exact), sumOf(kept));
    assert.equal(summary.total_events, opened.length);
    const doubted = opened.slice(kept.length);
    // On a busy machine all connections may wait for the same sync, and none is in flight behind it.
    assert.ok(doubted.length <= CONNECTIONS, `${doubted.length}`);
    assert.ok(doubted.every(({ cost }) => cost === null));
  });
});
