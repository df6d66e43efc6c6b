// Entries a second shipped into chDB, boundaries and fsync included, and the latency of reports on 1 M rows.
// Run: node bench/micro/store.ts
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { systemClock } from '#std';
import { LIMITS } from '#terms';
import { boundariesIn } from '../../src/ledger/store/boundaries.ts';
import { quarantineIn } from '../../src/ledger/store/quarantine.ts';
import { sampleEntry } from '../../src/ledger/store/sample.fixture.ts';
import { createShipper } from '../../src/ledger/store/shipper.ts';
import type { JournalEntry } from '../../src/ledger/store/shipment.ts';
import { openStore } from '../../src/ledger/store/store.ts';
import { tagColumn } from '../../src/ledger/store/tag-column.ts';

const SHIPPED = 100_000;
const COPIES = 10;
const ROUNDS = 15;
const DAY_MS = 86_400_000;
const SEED = 42;
const START = Date.UTC(2026, 9, 1);

const quiet = { info: () => {}, warn: () => {}, error: (fields: object, text: string) => print(text, fields) };
const random = seeded(SEED);
const entries: JournalEntry[] = Array.from({ length: SHIPPED }, (_, index) => ({
  seq: index + 1,
  body: Buffer.from(
    sampleEntry(index + 1, {
      startedAt: START + Math.floor((index / SHIPPED) * 3 * DAY_MS),
      tags: {
        team: `team-${pick(12)}`,
        feature: `feature-${pick(40)}`,
        customer: `customer-${pick(2000)}`,
        env: ['production', 'staging', 'dev'][pick(3)] ?? 'dev',
        'cost.center': `cc-${pick(8)}`,
      },
    }),
  ),
}));

const dir = await mkdtemp(join(tmpdir(), 'apportion-bench-'));
try {
  await ship();
  await multiply();
  await report();
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function ship(): Promise<void> {
  const store = await openStore({ path: dir }, { log: quiet, clock: systemClock });
  const shipper = createShipper({
    nodeId: 'node_bench',
    reader: {
      retired: () => 0,
      next: ({ after, through, maxEntries, maxBytes }) => {
        const slice = entries.slice(after, Math.min(through, after + maxEntries));
        let bytes = 0;
        return slice.filter(({ body }, index) => (bytes += body.length) <= maxBytes || index === 0);
      },
    },
    store,
    boundaries: boundariesIn(dir),
    quarantine: quarantineIn(dir),
    clock: systemClock,
    log: quiet,
  });
  await shipper.idle();
  const start = systemClock.elapsedMs();
  shipper.wake(SHIPPED);
  await shipper.idle();
  const seconds = (systemClock.elapsedMs() - start) / 1000;
  const bytes = entries.reduce((sum, { body }) => sum + body.length, 0);
  print(
    `shipped ${SHIPPED} entries of ${Math.round(bytes / SHIPPED)} bytes, at most ${LIMITS.shipmentEntries} an insert`,
    {
      entriesPerSecond: Math.round(SHIPPED / seconds),
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
    },
  );
  await shipper.close();
  await store.close();
}

/** The shipped rows again and again inside the engine, shifted in time: 30 days in all. */
async function multiply(): Promise<void> {
  const engine = new Session(join(dir, 'chdb'));
  for (let copy = 1; copy < COPIES; copy += 1) {
    await engine.queryAsync(`INSERT INTO entries SELECT * REPLACE
      (seq + ${copy * SHIPPED} AS seq, effective_at + INTERVAL ${copy * 3} DAY AS effective_at) 
      FROM (SELECT * FROM entries WHERE seq <= ${SHIPPED})`);
  }
  engine.close();
}

async function report(): Promise<void> {
  const store = await openStore({ path: dir }, { log: quiet, clock: systemClock });
  const sums = 'toString(sum(cost)) AS money, sum(counts_call) AS calls, sum(input_tokens) AS tokens';
  const month = "effective_at >= '2026-10-01' AND effective_at < '2026-10-31'";
  const reports: Readonly<Record<string, string>> = {
    'by one tag': `SELECT ${tagColumn('team')} AS g, ${sums} FROM entries WHERE ${month} GROUP BY g`,
    'by day and a tag': `SELECT toDate(effective_at) AS d, ${tagColumn('feature')} AS g, ${sums} FROM entries WHERE ${month} GROUP BY d, g`,
    'two tags, two filters': `SELECT ${tagColumn('feature')} AS a, model AS b, ${sums} FROM entries
      WHERE ${month} AND ${tagColumn('env')} = 'production' AND ${tagColumn('cost.center')} = 'cc-3' GROUP BY a, b`,
    'by customer, top 100': `SELECT ${tagColumn('customer')} AS g, ${sums} FROM entries WHERE ${month} GROUP BY g ORDER BY sum(cost) DESC LIMIT 100`,
    'newest 100 requests': `SELECT call_id, effective_at, tags, toString(cost) AS c FROM entries ORDER BY toStartOfHour(effective_at) DESC, effective_at DESC LIMIT 100`,
    'newest 100 of a tag': `SELECT call_id, effective_at, tags, toString(cost) AS c FROM entries WHERE ${tagColumn('team')} = 'team-3' ORDER BY effective_at DESC LIMIT 100`,
    'one call': `SELECT * EXCEPT (cost, reserved, at_risk, charges) FROM entries WHERE call_id = 'call_${(777).toString(16).padStart(32, '0')}'`,
  };
  const [count] = await store.query<{ rows: number }>('SELECT count() AS rows FROM entries');
  print(`reports on ${count?.rows} rows, ${ROUNDS} rounds each`, {});
  for (const [name, sql] of Object.entries(reports)) {
    await store.query(sql);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = systemClock.elapsedMs();
      await store.query(sql);
      times.push(systemClock.elapsedMs() - start);
    }
    times.sort((left, right) => left - right);
    print(name, { p50ms: Math.round(times[ROUNDS >> 1] ?? 0), worstMs: Math.round(times.at(-1) ?? 0) });
  }
  print('memory after the reports', { rssMb: Math.round(process.memoryUsage().rss / 1e6) });
  await store.close();
}

function pick(values: number): number {
  return Math.floor(random() * values);
}

/** mulberry32: the same rows in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function print(text: string, figures: object): void {
  const values = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
  process.stdout.write(`${[text.padEnd(28), ...values].join('  ')}\n`);
}
