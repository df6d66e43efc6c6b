import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openJournal, type RotatableJournal } from '#ledger';
import { systemClock } from '#std';
import { sampleEntry } from '../src/ledger/store/sample.fixture.ts';
import type { Told } from './ledger-store.ts';
import { processUsage, threadSeconds, type ProcessUsage } from './process-usage.ts';
import { quantile } from './quantile.ts';
import { say } from './report.ts';
import { seededStore } from './seed/seeded.ts';

const NODE = 'node_bench';
/** Fewer would be over before the first report: that is a delay, and says nothing of what is borne for good. */
const SIZES: Readonly<Record<string, number>> = { quick: 100_000, '1m': 1_000_000 };
const OPEN_ENTRIES = 10_000_000;

/** Entries that wait for the disk at once: as many as a busy gateway has calls. */
const LANES = 512;

/** For the disk, while a pace is kept. */
const MOST_WAITING = 20_000;

type Pace = { readonly perSecond: number; readonly seconds: number };

const CALM: Pace = { perSecond: 500, seconds: 20 };
/** What the store is to bear for good. */
const FULL: Pace = { perSecond: 20_000, seconds: 8 };

type Plan = {
  readonly entries: number;
  /** A folder with a store of ten million entries, made there where it is not; null leaves that figure out. */
  readonly opened: string | null;
};

/** What the ledger of record and the store behind it bear together, and how long they take to come back. */
export async function benchLedger(words: readonly string[]): Promise<void> {
  const plan = parsePlan(words);
  const dir = await mkdtemp(join(tmpdir(), 'apportion-bench-ledger-'));
  try {
    say(`load of the machine at the start: ${loadavg()[0]?.toFixed(1)}`);
    say(`\n${'ledger'.padEnd(56)}     figure     target`);
    await measureIn(dir, plan);
    if (plan.opened !== null) await measureOpening(dir, plan.opened);
    say(`\nload of the machine at the end: ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function parsePlan(words: readonly string[]): Plan {
  let plan: Plan = { entries: 200_000, opened: null };
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    const entries = SIZES[word];
    if (entries !== undefined) plan = { ...plan, entries };
    else if (name === 'opened') plan = { ...plan, opened: value };
    else throw new Error(`"ledger" is followed by ${Object.keys(SIZES).join(', ')}, opened=FOLDER`);
  }
  return plan;
}

/** A journal that is being written, and whoever follows it. */
type Bench = {
  readonly dir: string;
  readonly journal: RotatableJournal;
  follower: Follower;
  /** The last entry that was given to the journal. */
  last: number;
};

async function measureIn(dir: string, { entries }: Plan): Promise<void> {
  await mkdir(join(dir, 'journal'));
  const journal = await openJournal({ dir: join(dir, 'journal'), nodeId: NODE, clock: systemClock });
  const bench: Bench = { dir, journal, follower: await follow(dir), last: 0 };
  journal.onDurable(({ seq }) => bench.follower.durable(seq));
  await write(bench, entries / 10);
  await bench.follower.reaches(bench.last);
  await measureSustained(bench, entries);
  await measureDelay(bench, CALM);
  await measureDelay(bench, FULL);
  await measureKill(bench, Math.min(entries, 100_000));
  await measureRebuild(bench);
  await bench.follower.kill();
  await journal.close();
}

async function settle(bench: Bench): Promise<void> {
  bench.last += 1;
  await bench.journal.settle(`attempt_${bench.last}`, sampleEntry(bench.last, { startedAt: systemClock.now() }));
}

async function write(bench: Bench, count: number): Promise<void> {
  const end = bench.last + count;
  const lane = async (): Promise<void> => {
    if (bench.last >= end) return;
    await settle(bench);
    await lane();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function measureSustained(bench: Bench, entries: number): Promise<void> {
  const { follower } = bench;
  const makingUs = measureMaking();
  const threads = await follower.threads();
  const startedAt = systemClock.elapsedMs();
  const [own, other] = [process.cpuUsage(), await follower.cpuSeconds()];
  await write(bench, entries);
  const durableMs = systemClock.elapsedMs() - startedAt;
  await follower.reaches(bench.last);
  const visibleMs = systemClock.elapsedMs() - startedAt;
  const { user, system } = process.cpuUsage(own);
  const storeSeconds = (await follower.cpuSeconds()) - other;
  const perSecond = (ms: number): number => Math.round((entries / ms) * 1000);
  line(`entries a second into the journal, ${LANES} at once`, perSecond(durableMs), '');
  line('entries a second through journal and store into reports', perSecond(visibleMs), '>= 20000');
  line('  processor time an entry, making it, µs', Math.round(makingUs), '');
  line('  processor time an entry, journal, µs', Math.round((user + system) / entries - makingUs), '<= 15');
  line('  processor time an entry, store and reports, µs', Math.round((storeSeconds * 1e6) / entries), '<= 30');
  const after = await follower.threads();
  for (const [name, what] of THREADS) {
    const seconds = (after.get(name) ?? 0) - (threads.get(name) ?? 0);
    line(`    ${what}, µs`, Number(((seconds * 1e6) / entries).toFixed(1)), '');
  }
  line('the process with the store, at its highest, MB', await follower.peakMb(), '<= 700');
}

/** The threads of the process with the store, by their names for the system. */
const THREADS: readonly (readonly [string, string])[] = [
  ['node-MainThread', 'reading the journal, handing rows over, reports'],
  ['node-V8Worker', 'clearing up behind it'],
  ['libuv-worker', 'statements and files'],
  ['ThreadPool', 'the engine: rows into parts, reports'],
  ['MergeMutate', 'the engine: merging parts'],
];

const MADE = 20_000;

/** What the gateway does where calls are real. @returns microseconds an entry */
function measureMaking(): number {
  const own = process.cpuUsage();
  for (let made = 0; made < MADE; made += 1) sampleEntry(made, { startedAt: systemClock.now() });
  const { user, system } = process.cpuUsage(own);
  return (user + system) / MADE;
}

async function measureDelay(bench: Bench, pace: Pace): Promise<void> {
  const { delays, perSecond, behindMs } = await steadily(bench, pace);
  const name = `from durable to seen in a report at ${pace.perSecond}/s`;
  line(`${name}, p50 ms`, Math.round(quantile(delays, 0.5)), '');
  line(`${name}, p99 ms`, Math.round(quantile(delays, 0.99)), '<= 1000');
  line('  entries a second that were made', Math.round(perSecond), '');
  line('  after the last one, until a report had all of them, ms', Math.round(behindMs), '');
}

async function measureKill(bench: Bench, entries: number): Promise<void> {
  const load = write(bench, entries);
  await bench.follower.reaches(bench.last + 5_000);
  await bench.follower.kill();
  bench.follower = await follow(bench.dir);
  line('after kill -9 under load, first report, ms', Math.round(bench.follower.readyMs), '<= 5000');
  bench.follower.durable(bench.journal.durable().seq);
  await load;
  await bench.follower.reaches(bench.last);
  const calls = bench.follower.calls();
  if (calls !== bench.last) throw new Error(`${bench.last} entries are durable, reports have ${calls}`);
}

async function measureRebuild(bench: Bench): Promise<void> {
  await bench.follower.kill();
  await rm(join(bench.dir, 'store'), { recursive: true });
  const startedAt = systemClock.elapsedMs();
  bench.follower = await follow(bench.dir);
  bench.follower.durable(bench.journal.durable().seq);
  await bench.follower.reaches(bench.last);
  const seconds = (systemClock.elapsedMs() - startedAt) / 1000;
  line(`a store of ${bench.last} entries rebuilt from the journal, s`, Number(seconds.toFixed(1)), '');
  line('  entries a second', Math.round(bench.last / seconds), '');
  line('  processor time an entry, µs', Math.round(((await bench.follower.cpuSeconds()) * 1e6) / bench.last), '');
}

type Kept = {
  /** For each entry, how long after it was durable a report had it, in milliseconds. */
  readonly delays: readonly number[];
  readonly perSecond: number;
  readonly behindMs: number;
};

/** Entries at a steady rate. */
async function steadily(bench: Bench, { perSecond, seconds: length }: Pace): Promise<Kept> {
  const durableAt = new Map<number, number>();
  const settled: Promise<void>[] = [];
  const startedAt = systemClock.elapsedMs();
  const first = bench.last;
  for (let seconds = 0; seconds < length; seconds = (systemClock.elapsedMs() - startedAt) / 1000) {
    // A machine that cannot keep up makes fewer.
    while (bench.last - first < seconds * perSecond && settled.length - durableAt.size < MOST_WAITING) {
      const settling = settle(bench);
      const seq = bench.last;
      settled.push(settling.then(() => void durableAt.set(seq, systemClock.elapsedMs())));
    }
    await delay(5);
  }
  await Promise.all(settled);
  const endedAt = systemClock.elapsedMs();
  await bench.follower.reaches(bench.last);
  return {
    delays: Array.from(durableAt, ([seq, at]) => Math.max(0, bench.follower.seenAt(seq) - at)),
    perSecond: (1000 * (bench.last - first)) / (endedAt - startedAt),
    behindMs: systemClock.elapsedMs() - endedAt,
  };
}

async function measureOpening(dir: string, opened: string): Promise<void> {
  const seeded = join(dir, 'opened');
  await mkdir(join(seeded, 'journal'), { recursive: true });
  await seededStore(opened, OPEN_ENTRIES);
  await symlink(resolve(opened), join(seeded, 'store'));
  const follower = await follow(seeded);
  line('a store of ten million entries opened, first report, ms', Math.round(follower.readyMs), '<= 3000');
  await follower.kill();
}

type Follower = {
  /** From the start of the process to its first report. */
  readonly readyMs: number;
  durable(seq: number): void;
  /** Resolves when a report has seen the entry. */
  reaches(seq: number): Promise<void>;
  /** When a report had it first. */
  seenAt(seq: number): number;
  /** Calls in the last report. */
  calls(): number;
  peakMb(): Promise<number>;
  cpuSeconds(): Promise<number>;
  threads(): Promise<ReadonlyMap<string, number>>;
  kill(): Promise<void>;
};

async function follow(dir: string): Promise<Follower> {
  const startedAt = systemClock.elapsedMs();
  const child = fork(fileURLToPath(new URL('ledger-store.ts', import.meta.url)), [dir, NODE]);
  await toldOf(child, 'ready');
  const readyMs = systemClock.elapsedMs() - startedAt;
  const seen: { readonly seq: number; readonly at: number; readonly calls: number }[] = [];
  child.on('message', (told: Told) => {
    if (told.is === 'seen') seen.push({ seq: told.through, at: systemClock.elapsedMs(), calls: told.calls });
  });
  const usage = async (): Promise<ProcessUsage> => {
    const [own] = await processUsage(child.pid ?? -1);
    if (own === undefined) throw new Error('the process with the store ended');
    return own;
  };
  return {
    readyMs,
    // The answer is of no interest: a child that is being killed may be gone before it is known to be.
    durable: (seq) => void (child.connected && child.send(seq, () => {})),
    async reaches(seq) {
      while ((seen.at(-1)?.seq ?? 0) < seq) await once(child, 'message');
    },
    seenAt: (seq) => seen.find((one) => one.seq >= seq)?.at ?? Number.NaN,
    calls: () => seen.at(-1)?.calls ?? Number.NaN,
    peakMb: async () => (await usage()).peakMb,
    cpuSeconds: async () => (await usage()).cpuSeconds,
    threads: () => threadSeconds(child.pid ?? -1),
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function toldOf(child: ChildProcess, is: Told['is']): Promise<void> {
  for (;;) {
    const [told]: Told[] = await once(child, 'message');
    if (told?.is === is) return;
  }
}

function line(name: string, figure: number, target: string): void {
  say(`${name.padEnd(56)} ${String(figure).padStart(10)} ${target.padStart(10)}`);
}
