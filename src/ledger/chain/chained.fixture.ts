import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { openJournal } from '../journal/journal.ts';
import { sampleEntry } from '../store/sample.fixture.ts';
import { ChainBuilder, type ChainPlace } from './chain-builder.ts';
import type { DailyRoot } from './chain-files.ts';

/** A data directory as a server leaves it, small. */
export const NODE_ID = 'node_0123456789abcdef';

export const DAY_MS = 86_400_000;
export const FIRST_DAY_MS = Date.UTC(2026, 10, 1, 12);

export function scratchDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-chain-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'journal'));
  writeFileSync(join(dir, 'node.json'), JSON.stringify({ node_id: NODE_ID, epoch: 1, created_at: '' }));
  return dir;
}

export function placeIn(dir: string): ChainPlace {
  return { journalDir: join(dir, 'journal'), chainDir: join(dir, 'chain'), nodeId: NODE_ID, epoch: 1 };
}

/** Entries of as many days as it takes, so many a day. */
export function sampleBodies(count: number, perDay: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    sampleEntry(at + 1, {
      startedAt: FIRST_DAY_MS + Math.floor(at / perDay) * DAY_MS,
      tags: { team: `team${at % 3}`, customer: `customer-${at % 7}` },
      labels: at % 2 === 0 ? ['beta'] : [],
    }),
  );
}

/** Settles entries in order, in files of `segmentBytes`. */
export async function writeJournal(dir: string, bodies: readonly string[], segmentBytes = 16_384): Promise<void> {
  const journal = await openJournal({ dir: join(dir, 'journal'), nodeId: NODE_ID, clock: systemClock, segmentBytes });
  for (let at = 0; at < bodies.length; at += 8) {
    const few = bodies.slice(at, at + 8);
    await Promise.all(few.map((body, nth) => journal.settle(`attempt ${at + nth}`, body)));
  }
  await journal.close();
}

/** The clock of a day on which nothing was posted yet. */
export function clockAt(ms: number): Clock {
  return { now: () => ms as TimestampMs, elapsedMs: () => 0 };
}

/** Chains all of the journal. */
export function chainAll(dir: string, through: number, clock = clockAt(FIRST_DAY_MS + 100 * DAY_MS)): DailyRoot[] {
  const builder = new ChainBuilder(placeIn(dir), clock);
  const roots: DailyRoot[] = [];
  while (builder.point.seq < through) roots.push(...builder.advance(through, 64));
  roots.push(...builder.pause(through));
  builder.close();
  return roots;
}
