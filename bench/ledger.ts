import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openJournal } from '#ledger';
import { systemClock } from '#std';
import { sampleEntry } from '../src/ledger/store/sample.fixture.ts';
import type { Told } from './ledger-store.ts';
import { processUsage, type ProcessUsage } from './process-usage.ts';
import { quantile } from './quantile.ts';
import { say } from './report.ts';
import { seededStore } from './seed/seeded.ts';

const NODE = 'node_bench';
const SIZES: Readonly<Record<string, number>> = { quick: 20_000, '100k': 100_000, '1m': 1_000_000 };
const OPEN_ENTRIES = 10_000_000;

/** Entries that wait for the disk at once: as many as a busy gateway has calls. */
const LANES = 512;
const STEADY_PER_SECOND = 500;
const STEADY_SECONDS = 20;

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

async function measureIn(dir: string, { entries }: Plan): Promise<void> {
  await mkdir(join(dir, 'journal'));
  const journal = await openJournal({ dir: join(dir, 'journal'), nodeId: NODE, clock: systemClock });
  let follower = await follow(dir);
  journal.onDurable(({ seq }) => follower.durable(seq));

  let next = 1;
  const settle = async (): Promise<void> => {
    const n = next;
    next += 1;
    await journal.settle(`attempt_${n}`, sampleEntry(n, { startedAt: systemClock.now() }));
  };
  const write = async (count: number): Promise<void> => {
    const last = next + count;
    const lane = async (): Promise<void> => {
      while (next < last) await settle();
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };

  await write(entries / 10);
  await follower.reaches(next - 1);
  const from = next;
  const startedAt = systemClock.elapsedMs();
  const cpuBefore = [process.cpuUsage(), await follower.cpuSeconds()] as const;
  await write(entries);
  const durableMs = systemClock.elapsedMs() - startedAt;
  await follower.reaches(next - 1);
  const visibleMs = systemClock.elapsedMs() - startedAt;
  const perSecond = (ms: number): number => Math.round(((next - from) / ms) * 1000);
  line(`entries a second into the journal, ${LANES} at once`, perSecond(durableMs), '');
  line('entries a second through journal and store into reports', perSecond(visibleMs), '>= 20000');
  const { user, system } = process.cpuUsage(cpuBefore[0]);
  line('  processor time an entry, making and journal, µs', Math.round((user + system) / entries), '');
  line(
    '  processor time an entry, store, µs',
    Math.round(((await follower.cpuSeconds()) - cpuBefore[1]) * (1e6 / entries)),
    '',
  );
  line('the process with the store, at its highest, MB', await follower.peakMb(), '<= 700');

  const delays = await steadily(settle, { follower, last: () => next - 1 });
  line(`from durable to seen in a report at ${STEADY_PER_SECOND}/s, p50 ms`, Math.round(quantile(delays, 0.5)), '');
  line(
    `from durable to seen in a report at ${STEADY_PER_SECOND}/s, p99 ms`,
    Math.round(quantile(delays, 0.99)),
    '<= 1000',
  );

  const load = write(Math.min(entries, 100_000));
  await follower.reaches(next + 5_000);
  await follower.kill();
  follower = await follow(dir);
  line('after kill -9 under load, first report, ms', Math.round(follower.readyMs), '<= 5000');
  follower.durable(journal.durable().seq);
  await load;
  await follower.reaches(next - 1);
  if (follower.calls() !== next - 1)
    throw new Error(`${next - 1} entries are durable, reports have ${follower.calls()}`);

  await follower.kill();
  await rm(join(dir, 'store'), { recursive: true });
  const rebuiltFrom = systemClock.elapsedMs();
  follower = await follow(dir);
  follower.durable(journal.durable().seq);
  await follower.reaches(next - 1);
  const seconds = (systemClock.elapsedMs() - rebuiltFrom) / 1000;
  line(`a store of ${next - 1} entries rebuilt from the journal, s`, Number(seconds.toFixed(1)), '');
  line('  entries a second', Math.round((next - 1) / seconds), '');
  await follower.kill();
  await journal.close();
}

/** Entries at a steady rate. @returns for each, how long after it was durable a report had it, in milliseconds */
async function steadily(
  settle: () => Promise<void>,
  { follower, last }: { readonly follower: Follower; readonly last: () => number },
): Promise<readonly number[]> {
  const durableAt = new Map<number, number>();
  const startedAt = systemClock.elapsedMs();
  const settled: Promise<void>[] = [];
  const first = last() + 1;
  while (systemClock.elapsedMs() - startedAt < STEADY_SECONDS * 1000) {
    const due = ((systemClock.elapsedMs() - startedAt) / 1000) * STEADY_PER_SECOND;
    while (last() - first + 1 < due) {
      const settling = settle();
      const seq = last();
      settled.push(settling.then(() => void durableAt.set(seq, systemClock.elapsedMs())));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(settled);
  await follower.reaches(last());
  return Array.from(durableAt, ([seq, at]) => Math.max(0, follower.seenAt(seq) - at));
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
    durable: (seq) => void (child.connected && child.send(seq)),
    async reaches(seq) {
      while ((seen.at(-1)?.seq ?? 0) < seq) await once(child, 'message');
    },
    seenAt: (seq) => seen.find((one) => one.seq >= seq)?.at ?? Number.NaN,
    calls: () => seen.at(-1)?.calls ?? Number.NaN,
    peakMb: async () => (await usage()).peakMb,
    cpuSeconds: async () => (await usage()).cpuSeconds,
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
