import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { systemClock } from '#std';
import { openDataDir, type DataDir } from '../data-dir.ts';
import { openJournal, type RotatableJournal } from '../journal/journal.ts';
import { sampleEntry, sampleIntent } from '../journal/sample.fixture.ts';

export function scratchParent(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-backup-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export type SampleNode = { readonly dataDir: DataDir; readonly journal: RotatableJournal };

/** A node as a server has it open: journal, control database, and a file that some other part put there. */
export async function startNode(t: TestContext, dir: string): Promise<SampleNode> {
  const dataDir = await openDataDir(dir);
  const journal = await openJournal({
    dir: dataDir.journalDir,
    nodeId: dataDir.nodeId,
    epoch: dataDir.epoch,
    clock: systemClock,
    segmentBytes: 2000,
  });
  t.after(async () => {
    await journal.close();
    dataDir.release();
  });
  mkdirSync(join(dir, 'chain'), { recursive: true });
  writeFileSync(join(dir, 'chain', 'roots.jsonl'), '{"root":"of a day"}\n');
  const control = new DatabaseSync(join(dir, 'control.db'));
  control.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS keys (id TEXT); INSERT INTO keys VALUES (1)');
  t.after(() => control.close());
  return { dataDir, journal };
}

export async function stopNode({ dataDir, journal }: SampleNode): Promise<void> {
  await journal.close();
  dataDir.release();
}

/** @param from and `to`: names of the attempts */
export async function settleCalls(journal: RotatableJournal, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) {
    await journal.begin(`call_${n}`, sampleIntent(`call_${n}`));
    await journal.settle(`call_${n}`, sampleEntry(`call_${n}`));
  }
}
