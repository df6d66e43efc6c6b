import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readEntries } from '#ledger/read';
import { pico } from '#world';
import { ask } from '../journeys/record.ts';
import { untilCaughtUp } from './catching-up.ts';
import { judge } from './judgement.ts';
import { nextLedger, withoutProc } from './processes.ts';
import { RUN, scenario } from './run-plan.ts';
import { openScene, type Scene } from './scene.ts';
import type { SteadyHeard } from './steady-calls.ts';

const HOUR_MS = 3_600_000;
const CALLS_PER_SECOND = 100;
const CALLS_BETWEEN = 40;
/** Forth, back to before the first call, and to another day. The last is ahead of all, so that reports up to today show everything. */
const JUMPS_HOURS = [5, -7, 26] as const;
const NEW_PRICE_HOURS = 12;

test(
  'E18: the clock jumps by hours, forth and back: time of price, bucket of report and order are those of the call’s start',
  scenario(withoutProc),
  async (t) => {
    const clock = jumpingClock();
    const priceChange = Date.now() + NEW_PRICE_HOURS * HOUR_MS;
    const scene = await openScene(t, {
      env: clock.env,
      config: { prices: twoPrices(priceChange) },
      leave: () => Promise.resolve(clock.remove()),
    });
    const heard: SteadyHeard[] = [];
    const lives: Life[] = [];
    for (let round = 0; round < RUN.rounds; round += 1)
      for (const hours of JUMPS_HOURS) lives.push(await liveUntilJump(scene, { clock, hours, heard }));
    const calls = scene.steady(CALLS_PER_SECOND);
    await calls.seen(CALLS_BETWEEN);
    heard.push(...(await calls.stop()));
    lives.push({ from: clock.startedAt(), to: Date.now() + clock.offsetMs(), last: Number.POSITIVE_INFINITY });
    const entries = await timedEntries(scene);
    assert.deepEqual(
      entries.filter(({ effectiveAt, seq }) => {
        const life = lives.find(({ last }) => seq <= last);
        return life !== undefined && (effectiveAt < life.from || effectiveAt > life.to);
      }),
      [],
      'a jump of the clock was seen by a process that ran',
    );
    assert.deepEqual(
      entries.filter(({ priceRows, effectiveAt }) =>
        priceRows.some((row) => row !== (effectiveAt < priceChange ? 'before' : 'after')),
      ),
      [],
      'the price of another time than that of the call',
    );
    assert.ok(new Set(entries.flatMap(({ priceRows }) => priceRows)).size === 2, 'both prices were used');
    assert.deepEqual(await reportedHours(scene), sumByHour(entries));
    await judge(t, scene, { heard, faults: { 'clock jump': RUN.rounds * JUMPS_HOURS.length } });
  },
);

/** The gateway from a start to its end: what its clock may have said, and its last entry. */
type Life = { readonly from: number; readonly to: number; readonly last: number };

type Jump = {
  readonly clock: ReturnType<typeof jumpingClock>;
  readonly hours: number;
  readonly heard: SteadyHeard[];
};

/** Calls; the clock jumps under the running processes; the ledger process starts again and is hours apart from the gateway; then all do. */
async function liveUntilJump(scene: Scene, { clock, hours, heard }: Jump): Promise<Life> {
  const { gateway, random } = scene;
  const from = clock.startedAt();
  const calls = scene.steady(CALLS_PER_SECOND);
  await calls.seen(CALLS_BETWEEN);
  const offsetMs = clock.offsetMs();
  clock.jumpTo(hours * HOUR_MS);
  await calls.seen(CALLS_BETWEEN);
  process.kill(await nextLedger(gateway), 'SIGKILL');
  await calls.seen(CALLS_BETWEEN);
  heard.push(...(await calls.stop()));
  const to = Date.now() + offsetMs;
  await (random.next() < 0.5 ? gateway.stop() : gateway.kill());
  const last = Array.from(readEntries(join(gateway.dataDir, 'journal'))).at(-1)?.seq ?? 0;
  clock.starts();
  await gateway.restart();
  return { from, to, last };
}

function jumpingClock() {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-clock-'));
  const file = join(dir, 'offset');
  let offsetMs = 0;
  let startedAt = Date.now();
  writeFileSync(file, '0');
  const preload = fileURLToPath(new URL('./shifted-clock.fixture.ts', import.meta.url));
  return {
    env: { NODE_OPTIONS: `--import=${preload}`, APPORTION_TEST_CLOCK: file },
    offsetMs: () => offsetMs,
    jumpTo: (ms: number): void => {
      offsetMs = ms;
      writeFileSync(file, String(ms));
    },
    /** What the clock of a process says at the earliest that is started from now on. */
    starts: (): void => {
      startedAt = Date.now() + offsetMs;
    },
    startedAt: () => startedAt,
    remove: () => rmSync(dir, { recursive: true }),
  };
}

/** The same prices as the provider's, in two rows, so that it can be told which one was used. */
function twoPrices(change: number): readonly object[] {
  const row = {
    kind: 'price',
    provider: 'openai',
    model: 'gpt-4o',
    match: ['gpt-4o', 'gpt-4o-2024-08-06'],
    rates: {
      input: { amount: '2.5', per: 1_000_000 },
      cache_read: { amount: '1.25', per: 1_000_000 },
      output_text: { amount: '10', per: 1_000_000 },
    },
  };
  return [
    { ...row, id: 'before' },
    { ...row, id: 'after', effective_from: new Date(change).toISOString() },
  ];
}

type TimedEntry = {
  readonly seq: number;
  readonly effectiveAt: number;
  readonly cost: bigint;
  readonly priceRows: readonly string[];
};

type WireEntry = {
  readonly effective_at: string;
  readonly cost: string | null;
  readonly model: string;
  readonly charges: readonly { readonly price_row: string }[];
};

async function timedEntries({ gateway }: Scene): Promise<readonly TimedEntry[]> {
  await untilCaughtUp(gateway);
  return Array.from(readEntries(join(gateway.dataDir, 'journal')), ({ seq, body }) => {
    const wire: WireEntry = JSON.parse(body.toString());
    return {
      seq,
      effectiveAt: Date.parse(wire.effective_at),
      cost: BigInt(wire.cost ?? 0),
      priceRows: wire.model === 'gpt-4o' ? wire.charges.map(({ price_row: row }) => row) : [],
    };
  });
}

type Hours = Readonly<Record<string, { readonly entries: number; readonly cost: bigint }>>;

function sumByHour(entries: readonly TimedEntry[]): Hours {
  const hours: Record<string, { entries: number; cost: bigint }> = {};
  for (const { effectiveAt, cost } of entries) {
    const hour = new Date(effectiveAt - (effectiveAt % HOUR_MS)).toISOString();
    const sum = (hours[hour] ??= { entries: 0, cost: 0n });
    sum.entries += 1;
    sum.cost += cost;
  }
  return hours;
}

type Series = { data: { timestamp: string; total_events: number; total_cost_exact: string }[] };

async function reportedHours({ gateway }: Scene): Promise<Hours> {
  const day = (offsetMs: number): string => new Date(Date.now() + offsetMs).toISOString().slice(0, 10);
  const period = `start_date=${day(-48 * HOUR_MS)}&end_date=${day(48 * HOUR_MS)}`;
  const { data }: Series = JSON.parse(await ask(gateway, `/v1/analytics/costs/timeseries?interval=hour&${period}`));
  const spent = data.filter(({ total_events: events }) => events > 0);
  return Object.fromEntries(
    spent.map((hour) => [
      new Date(hour.timestamp).toISOString(),
      { entries: hour.total_events, cost: pico(hour.total_cost_exact) },
    ]),
  );
}
