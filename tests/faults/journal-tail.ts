import { appendFileSync, cpSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '#ledger';
import { readEntries } from '#ledger/read';
import { systemClock } from '#std';
import type { Random } from '#world';
import { readMark } from '../../src/ledger/journal/synced-mark.ts';

/** The newest file of a journal that nobody writes, and where in it the acknowledged bytes end. */
export type JournalTail = { readonly path: string; readonly bytes: number; readonly syncedBytes: number };

export function journalTail(dataDir: string): JournalTail {
  const dir = join(dataDir, 'journal');
  const names = readdirSync(dir).filter((name) => /^\d+\.log$/.test(name));
  const path = join(dir, names.toSorted().at(-1) ?? '');
  const mark = readMark(dir);
  const isInThisFile = mark !== null && path.endsWith(`${String(mark.segment).padStart(10, '0')}.log`);
  return { path, bytes: statSync(path).size, syncedBytes: isInThisFile ? mark.offset : 0 };
}

export type Tear = 'cut' | 'garbage' | 'zeros';

const MOST_EXTRA_BYTES = 5_000;

/** What a power cut may leave: fewer bytes than were written, or others, or none where there should be some; all of it unsynced. */
export function tear({ path, bytes, syncedBytes }: JournalTail, how: Tear, random: Random): void {
  truncateSync(path, random.between(syncedBytes, bytes));
  const extra = Buffer.alloc(random.between(1, MOST_EXTRA_BYTES));
  if (how === 'garbage') for (let at = 0; at < extra.length; at += 1) extra[at] = random.between(0, 255);
  if (how !== 'cut') appendFileSync(path, extra);
}

/** What each entry costs or puts at risk, by its id. */
export type EntryMoney = ReadonlyMap<string, bigint>;

/** What a recovery would make of the journal as it lies there, found on a copy. */
export async function recoveredMoney(dataDir: string): Promise<EntryMoney> {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-copy-'));
  try {
    cpSync(join(dataDir, 'journal'), dir, { recursive: true });
    const { node_id: nodeId, epoch }: { node_id: string; epoch: number } = JSON.parse(
      readFileSync(join(dataDir, 'node.json'), 'utf8'),
    );
    await (await openJournal({ dir, nodeId, epoch, clock: systemClock })).close();
    return entryMoney(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

export function entryMoney(journalDir: string): EntryMoney {
  const money = new Map<string, bigint>();
  for (const { body } of readEntries(journalDir)) {
    const entry: { entry_id: string; cost: string | null; at_risk: string | null } = JSON.parse(body.toString());
    money.set(entry.entry_id, BigInt(entry.cost ?? entry.at_risk ?? '0'));
  }
  return money;
}
