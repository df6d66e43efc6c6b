import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { costs, parseCostsQuery, parseTimeseriesQuery, timeseries } from '#analytics';
import { checkDataDir } from '#cli';
import { readEntries } from '#ledger/read';
import { ENTRIES } from '#ledger/store';
import type { TimestampMs } from '#std';
import { pico, startGateway, startUpstreamProcess, startWorld, until, type Gateway, type World } from '#world';
import { openSeededLedger, type Seed, type SeededLedger } from '../../src/analytics/seeded-ledger.fixture.ts';
import { report, whenStored } from '../journeys/record.ts';

const HOUR_MS = 3_600_000;

describe('accidents of storage, in the store', () => {
  let ledger: SeededLedger;

  before(async () => {
    ledger = await openSeededLedger();
  });
  after(() => ledger.close());

  test('E1: ten thousand combinations of tag, model and day in one batch are all there', async () => {
    const seeds: Seed[] = [];
    for (let tag = 0; tag < 100; tag += 1)
      for (let model = 0; model < 10; model += 1)
        for (let day = 0; day < 10; day += 1)
          seeds.push({
            at: `2024-05-${10 + day}T12:00:00Z`,
            model: `model-${model}`,
            body: { tags: { product: `product-${tag}` } },
            cost: BigInt(seeds.length + 1),
          });
    await ledger.add(seeds);
    const rows = await ledger.store.query<{ cost: string }>(
      `SELECT toString(sum(cost)) AS cost FROM ${ENTRIES} WHERE toYear(effective_at) = 2024
      GROUP BY tags.product.:String, model, toDate(effective_at, 'UTC')`,
      {},
    );
    const owed = new Set(seeds.map(({ cost }) => String(cost)));
    assert.equal(rows.length, 10_000);
    assert.deepEqual(new Set(rows.map(({ cost }) => cost)), owed);
    const period = { start_date: '2024-05-01', end_date: '2024-05-31', limit: '1000' };
    for (const dimension of ['tags.product', 'model']) {
      const answer = await costs({ store: ledger.store }, costsQuery({ ...period, group_by: dimension }));
      const parts = answer.data.map(({ total_cost_exact: cost }) => pico(cost));
      assert.equal(parts.length, dimension === 'model' ? 10 : 100);
      assert.equal(sum(parts), (10_000n * 10_001n) / 2n);
    }
  });

  test('E17: an entry takes less than a kilobyte in the store', async () => {
    const [parts] = await ledger.store.query<{ bytes: string; rows: string }>(
      `SELECT toString(sum(bytes_on_disk)) AS bytes, toString(sum(rows)) AS rows FROM system.parts
      WHERE active AND table = '${ENTRIES}'`,
      {},
    );
    assert.ok(Number(parts?.rows) >= 10_000);
    assert.ok(Number(parts?.bytes) / Number(parts?.rows) < 1_024, JSON.stringify(parts));
  });

  test('E5: in every time zone, over changes of the clocks too, the days sum to their range and none has another’s hours', async () => {
    const starts = [Date.parse('2025-03-28T00:00:00Z'), Date.parse('2025-10-31T00:00:00Z')];
    const seeds = starts.flatMap((start) =>
      Array.from({ length: 96 }, (_, hour) => ({
        at: new Date(start + hour * HOUR_MS + 45 * 60_000).toISOString(),
        cost: 1n << BigInt(hour % 48),
      })),
    );
    await ledger.add(seeds);
    for (const timezone of ['UTC', 'Asia/Kolkata', 'America/Los_Angeles', 'Asia/Kathmandu', 'Europe/Berlin']) {
      const days = new Map<string, bigint>();
      for (const { at, cost } of seeds) {
        const day = localDay(at, timezone);
        days.set(day, (days.get(day) ?? 0n) + cost);
      }
      for (const [day, cost] of days)
        assert.equal(await totalOf({ start_date: day, end_date: day, timezone }), cost, `${day} in ${timezone}`);
      const all = { start_date: '2025-03-27', end_date: '2025-11-05', timezone };
      assert.equal(await totalOf(all), sum(Array.from(days.values())), timezone);
      const { data } = await timeseries(
        { store: ledger.store },
        parseTimeseriesQuery({ ...all, interval: 'day' }, Date.parse('2026-01-01T00:00:00Z') as TimestampMs),
      );
      const shown = data.filter(({ total_events: events }) => events > 0);
      assert.deepEqual(
        shown.map(({ date, total_cost_exact: cost }) => [date, pico(cost)]),
        [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      );
    }
  });

  test('E6: for a viewer west of Greenwich today is today, with its evening', async () => {
    // One at night in Greenwich is five in the afternoon, the day before, in Los Angeles.
    const now = Date.parse('2025-06-05T01:00:00Z') as TimestampMs;
    await ledger.add([
      { at: '2025-06-04T06:59:00Z', cost: 1n },
      { at: '2025-06-04T07:00:00Z', cost: 20n },
      { at: '2025-06-05T00:30:00Z', cost: 300n },
    ]);
    const today = { timezone: 'America/Los_Angeles', start_date: '2025-06-04' };
    const { summary } = await costs({ store: ledger.store }, parseCostsQuery(today, now));
    assert.equal(pico(summary.total_cost_exact), 320n);
    const query = parseTimeseriesQuery({ ...today, interval: 'day' }, now);
    const { data } = await timeseries({ store: ledger.store }, query);
    assert.deepEqual(
      data.map(({ date, total_cost_exact: cost }) => [date, pico(cost)]),
      [['2025-06-04', 320n]],
    );
  });

  async function totalOf(query: Record<string, string>): Promise<bigint> {
    const { summary } = await costs({ store: ledger.store }, costsQuery(query));
    return pico(summary.total_cost_exact);
  }
});

const NO_PROC = existsSync('/proc/self/clear_refs') ? false : 'what a process held at most is told by Linux alone';

test('E13: all entries of a store lose their detail with less than 100 MB more', { skip: NO_PROC }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-retention-'));
  try {
    // In a process of its own: this one held more before.
    const main = fileURLToPath(new URL('retention-main.fixture.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [main, dir, '300000']);
    const figures: { retired: number; moreMb: number; same: boolean } = JSON.parse(stdout);
    assert.ok(figures.retired >= 300_000 && figures.same && figures.moreMb < 100, stdout);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

describe('accidents of storage, in a whole server', () => {
  let world: World;

  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  test('E2: what a key, a team or a customer is said to have spent is the sum of its entries, and the doctor agrees', async () => {
    const { gateway } = world;
    for (let call = 0; call < 24; call += 1)
      await makeCall({
        tags: { feature: `f${call % 4}` },
        entity_type: 'customer',
        entity_id: `c${call % 5}`,
        user: `u${call % 3}`,
      });
    await whenStored(gateway);
    const entries = Array.from(readEntries(join(gateway.dataDir, 'journal')), ({ body }): WireEntry =>
      JSON.parse(body.toString()),
    );
    const groups: Readonly<Record<string, (entry: WireEntry) => string>> = {
      'tags.customer': ({ tags }) => tags['customer'] ?? '',
      'tags.feature': ({ tags }) => tags['feature'] ?? '',
      key: ({ key_name: name }) => name,
      model: ({ model }) => model,
    };
    for (const [dimension, valueOf] of Object.entries(groups)) {
      const owed: Record<string, bigint> = {};
      for (const entry of entries) owed[valueOf(entry)] = (owed[valueOf(entry)] ?? 0n) + BigInt(entry.cost);
      const { data } = await report(gateway, { group_by: dimension });
      assert.deepEqual(
        Object.fromEntries(data.map(({ value, total_cost_exact: cost }) => [value, pico(cost)])),
        owed,
        dimension,
      );
    }
    assert.deepEqual(await checkDataDir(gateway.dataDir, { adminKey: gateway.adminKey }), []);
  });

  test('E17: what a prompt and its answer say is no part of an entry, however long they are', async () => {
    const { gateway } = world;
    const sizes: number[] = [];
    for (const words of [1, 100_000]) {
      await makeCall({ messages: [{ role: 'user', content: `completion_tokens=30 ${'a word '.repeat(words)}` }] });
      await whenStored(gateway);
      const last = Array.from(readEntries(join(gateway.dataDir, 'journal'))).at(-1);
      assert.ok(last !== undefined);
      sizes.push(last.body.length);
    }
    const [short = 0, long = 0] = sizes;
    assert.ok(long < 4_096, `${long} bytes`);
    assert.ok(long - short < 512, `${short} and ${long} bytes`);
  });

  async function makeCall(fields: object): Promise<void> {
    const answer = await fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'seed=1' }], ...fields }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
});

const WARM_CALLS = 1_500;
const COUNTED_CALLS = 4_000;
const AT_ONCE = 16;
/** The numbers of the last 16,384 attempts are remembered, a hundred bytes each, so that none is counted twice; what a call leaves for ever is far more. */
const MOST_BYTES_PER_CALL = 250;

test('E12: nothing of a call stays in the memory of the gateway when it has ended', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-heap-'));
  const upstream = await startUpstreamProcess();
  const file = join(dir, 'heap');
  const preload = fileURLToPath(new URL('./heap-told.fixture.ts', import.meta.url));
  const gateway = await startGateway({
    upstream,
    env: { NODE_OPTIONS: `--import=${preload}`, APPORTION_TEST_HEAP: file },
  });
  t.after(async () => {
    await gateway.close();
    await upstream.close();
    rmSync(dir, { recursive: true });
  });
  const asked = { file, pid: gateway.pid() };
  await makeCalls(gateway, WARM_CALLS);
  const first = await heldByThreads({ ...asked, question: 'warm' });
  await makeCalls(gateway, COUNTED_CALLS);
  const last = await heldByThreads({ ...asked, question: 'later' });
  for (const [thread, bytes] of first) {
    const perCall = ((last.get(thread) ?? 0) - bytes) / COUNTED_CALLS;
    t.diagnostic(`thread ${thread}: ${(bytes / 1024 / 1024).toFixed(1)} MB, ${perCall.toFixed(1)} bytes per call`);
    assert.ok(perCall < MOST_BYTES_PER_CALL, `thread ${thread}: ${perCall} bytes per call`);
  }
});

/** So many, a few at once: connections hold memory too, and are no more later than at first. */
async function makeCalls({ url, adminKey }: Gateway, count: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'gpt-4o-mini',
          messages: [{ role: 'user', content: `seed=${left}` }],
          tags: { feature: `feature-${left % 30}` },
          stream: left % 2 === 0,
        }),
      });
      assert.equal(answer.status, 200, await answer.text());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

const ANSWER_MS = 60_000;
const THREADS = 2;

type Asked = { readonly file: string; readonly pid: number; readonly question: string };

/** The heap of each thread of a process, by the thread's number: the main one, the journal's, and what else there is. */
async function heldByThreads({ file, pid, question }: Asked): Promise<ReadonlyMap<string, number>> {
  writeFileSync(file, question);
  const folder = join(file, '..');
  return until('every thread to say what it holds', ANSWER_MS, async () => {
    const answers = readdirSync(folder).filter((name) => name.startsWith(`heap.${question}.${pid}.`));
    const told = new Map(answers.map((name) => [name.slice(name.lastIndexOf('.') + 1), read(join(folder, name))]));
    return told.size >= THREADS && Array.from(told.values()).every((bytes) => bytes > 0) ? told : undefined;
  });
}

function read(file: string): number {
  return Number(readFileSync(file, 'utf8'));
}

type WireEntry = {
  readonly cost: string;
  readonly model: string;
  readonly key_name: string;
  readonly tags: Readonly<Record<string, string>>;
};

function costsQuery(query: Record<string, string>): ReturnType<typeof parseCostsQuery> {
  return parseCostsQuery(query, Date.parse('2026-01-01T00:00:00Z') as TimestampMs);
}

function localDay(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(new Date(at));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
