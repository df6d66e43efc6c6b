import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '#ledger/store';
import { systemClock, type TimestampMs } from '#std';
import { questionsAt, type Deps, type Question } from './analytics-questions.ts';
import { forgetFiles } from './forget-files.ts';
import { processUsage } from './process-usage.ts';
import { quantile } from './quantile.ts';
import { say } from './report.ts';
import { SEED_NODE } from './seed/rows.ts';
import { seededStore } from './seed/seeded.ts';

const DAY_MS = 86_400_000;

/** What a peer needs for far less, as its users report it: see bench/README.md. */
const PEER = 'for comparison, LiteLLM at 0.3 M rows: 20 to 30 s';

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

export type AnalyticsPlan = {
  readonly entries: number;
  readonly rounds: number;
  /** Where the seeded store is kept; null for a temporary folder. */
  readonly dir: string | null;
  /** Only questions whose name contains it. */
  readonly only: string;
};

/**
 * Latency of every report on a seeded store: the first time with nothing in memory; then as kinds of reports are asked for until there are cells
 * of them (`new`); and then again and again.
 */
export async function benchAnalytics(words: readonly string[]): Promise<void> {
  const plan = parsePlan(words);
  const dir = plan.dir ?? (await mkdtemp(join(tmpdir(), 'apportion-bench-')));
  try {
    await measureIn(dir, plan);
  } finally {
    if (plan.dir === null) await rm(dir, { recursive: true, force: true });
  }
}

const SIZES: Readonly<Record<string, number>> = {
  '100k': 100_000,
  '1m': 1_000_000,
  '10m': 10_000_000,
  '50m': 50_000_000,
};

function parsePlan(words: readonly string[]): AnalyticsPlan {
  let plan: AnalyticsPlan = { entries: 1_000_000, rounds: 20, dir: null, only: '' };
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    const entries = SIZES[word];
    if (entries !== undefined) plan = { ...plan, entries };
    else if (word === 'quick') plan = { ...plan, rounds: 3 };
    else if (name === '--entries') plan = { ...plan, entries: Number(value) };
    else if (name === 'in') plan = { ...plan, dir: value };
    else if (name === 'only') plan = { ...plan, only: value };
    else
      throw new Error(
        `"analytics" is followed by ${Object.keys(SIZES).join(', ')}, quick, --entries=N, in=FOLDER, only=NAME`,
      );
  }
  return plan;
}

async function measureIn(dir: string, plan: AnalyticsPlan): Promise<void> {
  const { startMs, days, lastSeq } = await seededStore(dir, plan.entries);
  await forgetFiles(dir);
  const openedAt = systemClock.elapsedMs();
  const store = await openStore({ path: dir }, { log: QUIET, clock: systemClock });
  const now = (startMs + days * DAY_MS - 1) as TimestampMs;
  const asOf = { nodeId: SEED_NODE, seq: lastSeq, at: now, alone: store.isAlone(SEED_NODE) };
  const deps: Deps = {
    store: {
      query: (sql, params, options) => store.query(sql, params, options),
      asOf: () => asOf,
      sums: store.sums,
      cells: store.cells,
      wide: store.wide,
    },
    notes: () => Promise.resolve({ keys: new Map(), tags: new Map() }),
    keys: () => Promise.resolve(new Map()),
  };
  say(`load of the machine: ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`);
  say(`opened in ${Math.round(systemClock.elapsedMs() - openedAt)} ms`);
  store.reached(SEED_NODE, lastSeq);
  await store.kept();
  say(`\n${'milliseconds'.padEnd(36)}   first new p95     p50     p95     max  target  processor`);
  for (const question of questionsAt(now).filter(({ name }) => name.includes(plan.only))) {
    report(question, await timed(question, { deps, store, rounds: plan.rounds }));
  }
  say(PEER);
  const [usage] = await processUsage(process.pid);
  say(`load of the machine at the end: ${loadavg()[0]?.toFixed(1)}`);
  say(`\nthis process, engine and reports: ${usage?.rssMb} MB, at its highest ${usage?.peakMb} MB (target 700)`);
  await store.close();
}

type Times = {
  readonly coldMs: number;
  readonly newMs: readonly number[];
  readonly hotMs: readonly number[];
  readonly cpuMs: number;
};

async function timed(
  question: Question,
  { deps, store, rounds }: { readonly deps: Deps; readonly store: Store; readonly rounds: number },
): Promise<Times> {
  const once = async (round: number): Promise<number> => {
    const startedAt = systemClock.elapsedMs();
    await question.run(deps, round);
    return systemClock.elapsedMs() - startedAt;
  };
  await question.prepare?.(deps, rounds);
  const all = async (): Promise<number[]> => {
    const ms: number[] = [];
    for (let round = 0; round < rounds; round += 1) ms.push(await once(round));
    return ms;
  };
  const coldMs = await once(0);
  const newMs = await all();
  // Every variant twice, so that what the store makes of that is there afterwards.
  await all();
  await store.kept();
  const before = process.cpuUsage();
  const hotMs = await all();
  const { user, system } = process.cpuUsage(before);
  return { coldMs, newMs, hotMs, cpuMs: (user + system) / 1000 / rounds };
}

/** Processor time beside the clock's: on a machine with other work it is the figure that stays the same. */
function report(question: Question, { coldMs, newMs, hotMs, cpuMs }: Times): void {
  const p95 = quantile(hotMs, 0.95);
  const columns = [coldMs, quantile(newMs, 0.95), quantile(hotMs, 0.5), p95, Math.max(...hotMs), question.targetMs];
  const texts = columns.map((ms) => ms.toFixed(0).padStart(7)).join(' ');
  say(
    `${question.name.padEnd(36)} ${texts} ${cpuMs.toFixed(0).padStart(10)}${p95 > question.targetMs ? '  MISSED' : ''}`,
  );
}
