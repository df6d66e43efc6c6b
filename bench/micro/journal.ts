// What the journal costs: SQLite and append segments as bare storage, then the journal as the gateway uses it. Durable calls a
// second and milliseconds until the entry is on disk, for 1 to 128 calls at once. Run: node bench/micro/journal.ts. What its files cost: journal-files.ts
import { fdatasyncSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openJournal } from '#ledger';
import { systemClock } from '#std';
import { measureDisk } from '../disk.ts';
import { quantile } from '../quantile.ts';
import { writeAll } from '../../src/ledger/journal/disk.ts';
import { FrameEncoder } from '../../src/ledger/journal/frame.ts';

const BODY_BYTES = 900;
const GROUPS = [1, 8, 32, 128];
const RUN_MS = 1500;
const TURNS = 10;

const open = JSON.stringify({ call_id: 'call_0', attempt: 1, reserved: '42', pad: 'x'.repeat(BODY_BYTES / 2) });
const entry = `${open.slice(0, -1)},"pad2":"${'y'.repeat(BODY_BYTES - open.length - 10)}"}`;
const clock = systemClock;
const dir = await mkdtemp(join(tmpdir(), 'apportion-bench-journal-'));

try {
  const disk = await measureDisk(dir);
  print(`disk: append + fdatasync p50 ${ms(quantile(disk.syncMs, 0.5))} p99 ${ms(quantile(disk.syncMs, 0.99))}`);
  if (disk.isMemory) print('This folder is in memory: set TMPDIR to a disk for figures that mean something.');
  for (const group of GROUPS) storage(group);
  for (const group of GROUPS) await journal(group);
} finally {
  await rm(dir, { recursive: true });
}

type Measured = { readonly calls: number; readonly elapsedMs: number; readonly waitsMs: number[] };

/** SQLite and segments take turns, so that whatever else the machine does falls on both. */
function storage(group: number): void {
  const kinds = [
    { name: 'sqlite, one thread', commit: sqliteGroup(join(dir, `${group}.db`)), waitsMs: new Array<number>() },
    { name: 'segment, one thread', commit: segmentGroup(join(dir, `${group}.log`)), waitsMs: new Array<number>() },
  ];
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const { commit, waitsMs } of kinds) {
      const until = clock.elapsedMs() + RUN_MS / TURNS;
      while (clock.elapsedMs() < until) {
        const from = clock.elapsedMs();
        commit(group);
        waitsMs.push(clock.elapsedMs() - from);
      }
    }
  }
  for (const { name, waitsMs } of kinds) {
    const elapsedMs = waitsMs.reduce((sum, waitMs) => sum + waitMs, 0);
    report(name, group, { calls: waitsMs.length * group, elapsedMs, waitsMs });
  }
}

function sqliteGroup(path: string): (group: number) => void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
  database.exec('CREATE TABLE intents (attempt TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID');
  database.exec('CREATE TABLE entries (seq INTEGER PRIMARY KEY, attempt TEXT, body TEXT)');
  const begin = database.prepare('INSERT INTO intents VALUES (?, ?)');
  const end = database.prepare('DELETE FROM intents WHERE attempt = ?');
  const settle = database.prepare('INSERT INTO entries (attempt, body) VALUES (?, ?)');
  let calls = 0;
  return (group) => {
    const names = Array.from({ length: group }, () => `call_${++calls}`);
    database.exec('BEGIN');
    for (const name of names) begin.run(name, open);
    for (const name of names) {
      end.run(name);
      settle.run(name, entry);
    }
    database.exec('COMMIT');
  };
}

function segmentGroup(path: string): (group: number) => void {
  const fd = openSync(path, 'w');
  const encoder = new FrameEncoder(0);
  let offset = 0;
  let seq = 0;
  const write = () => {
    const bytes = encoder.take();
    writeAll(fd, bytes, offset);
    offset += bytes.length;
  };
  return (group) => {
    for (let n = 1; n <= group; n += 1) encoder.intent(`call_${seq + n}`, open);
    write();
    for (let n = 0; n < group; n += 1) encoder.entry(++seq, `call_${seq}`, entry);
    write();
    fdatasyncSync(fd);
  };
}

/** The real thing: a thread of its own, intents acknowledged when written, entries when synced. */
async function journal(callers: number): Promise<void> {
  const folder = await mkdtemp(join(dir, 'journal-'));
  const opened = await openJournal({ dir: folder, nodeId: 'node_bench', clock });
  const cpuBefore = process.threadCpuUsage();
  const startedAt = clock.elapsedMs();
  const beginsMs: number[] = [];
  const waitsMs: number[] = [];
  const caller = async (number: number) => {
    for (let n = 0; clock.elapsedMs() - startedAt < RUN_MS; n += 1) {
      const attempt = `call_${number}_${n}`;
      const begunAt = clock.elapsedMs();
      await opened.begin(attempt, open);
      const settledAt = clock.elapsedMs();
      await opened.settle(attempt, entry);
      beginsMs.push(settledAt - begunAt);
      waitsMs.push(clock.elapsedMs() - settledAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  report('journal: entry', callers, { calls: waitsMs.length, elapsedMs: clock.elapsedMs() - startedAt, waitsMs });
  const cpu = process.threadCpuUsage(cpuBefore);
  const micros = (cpu.user + cpu.system) / waitsMs.length;
  print(`${' '.repeat(25)}intent ${waits(beginsMs)}, ${micros.toFixed(1)} µs of the caller's thread a call`);
  await opened.close();
}

function report(name: string, group: number, { calls, elapsedMs, waitsMs }: Measured): void {
  const rate = Math.round((calls * 1000) / elapsedMs);
  print(`${name.padEnd(20)} ${String(group).padStart(3)}  ${String(rate).padStart(7)} calls/s  ${waits(waitsMs)}`);
}

function waits(values: readonly number[]): string {
  return `p50 ${ms(quantile(values, 0.5))} p99 ${ms(quantile(values, 0.99))}`;
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
