import { isDeepStrictEqual } from 'node:util';
import { invariant } from '#std';
import { DETAIL_COLUMNS, DETAIL_IS_GONE } from '../store/detail.ts';
import { ENTRIES } from '../store/schema.ts';
import { fromRowEntry, STORED_ENTRY_COLUMNS } from '../store/stored-entry.ts';
import type { Findings } from './finding.ts';
import type { StoreSession } from './store-session.ts';

/** Entries compared by one question: some MB on either side. */
const CHUNK_ENTRIES = 2_000;

type Row = Readonly<Record<string, unknown>>;

type Compared = { readonly nodeId: string; readonly store: StoreSession; readonly findings: Findings };

/** The last instant of which the store has given up the detail of an entry, as far as it shows; before, any may be without. */
type Retired = { readonly through: number };

/** Entries of the journal in order, and those that stand aside and so must not be in the store. */
type Owed = {
  readonly entries: Iterable<{ readonly seq: number; readonly body: Buffer }>;
  readonly aside: ReadonlySet<number>;
};

/** Holds every row of the store to its entry, field by field. @returns how many were compared */
export async function compareRows(compared: Compared, owed: Owed): Promise<number> {
  const retired = await retiredOf(compared);
  let chunk = new Map<number, Row>();
  let count = 0;
  const flush = async (): Promise<void> => {
    await compareChunk({ ...compared, retired }, chunk, owed.aside);
    count += chunk.size;
    chunk = new Map();
  };
  for (const { seq, body } of owed.entries) {
    const entry = rowOf(body);
    // What cannot be read is told by another check.
    if (entry !== null) chunk.set(seq, entry);
    if (chunk.size >= CHUNK_ENTRIES) await flush();
  }
  if (chunk.size > 0) await flush();
  return count;
}

async function compareChunk(
  { nodeId, store, findings, retired }: Compared & { readonly retired: Retired },
  entries: ReadonlyMap<number, Row>,
  aside: ReadonlySet<number>,
): Promise<void> {
  const numbers = [...entries.keys()];
  const rows = await store.query<Row>(
    `SELECT seq AS row_seq, ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES}
     WHERE node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {last:UInt64} ORDER BY seq`,
    { node: nodeId, first: Math.min(...numbers), last: Math.max(...numbers) },
  );
  const seen = new Set<number>();
  for (const row of rows) {
    const seq = Number(row['row_seq']);
    const entry = entries.get(seq);
    const place = { file: 'store', seq };
    if (seen.has(seq)) findings.fault('store.rows', 'the store has it twice', place);
    seen.add(seq);
    if (entry === undefined || aside.has(seq))
      findings.fault(
        'store.rows',
        `the store has it, and it ${entry === undefined ? 'is not in the journal' : 'stands aside'}`,
        place,
      );
    else
      for (const what of differences(entry, row, retired))
        findings.fault('store.rows', what, { ...place, entryId: idOf(entry) });
  }
  for (const [seq, entry] of entries)
    if (!seen.has(seq) && !aside.has(seq))
      findings.fault('store.rows', 'the store lacks it', { file: 'store', seq, entryId: idOf(entry) });
}

async function retiredOf({ nodeId, store }: Compared): Promise<Retired> {
  const [row] = await store.query<{ through: number }>(
    `SELECT toUnixTimestamp64Milli(max(effective_at)) AS through FROM ${ENTRIES}
     WHERE node_id = {node:String} AND ${DETAIL_IS_GONE}`,
    { node: nodeId },
  );
  const last = row?.through ?? 0;
  return { through: last === 0 ? 0 : (Math.floor(last / DAY_MS) + 1) * DAY_MS - 1 };
}

const DAY_MS = 86_400_000;

/** What only loses its conversation, so that it does not show how far that went. */
function keepsItsCall(row: Row): boolean {
  return row['kind'] === 'adjustment' || row['cost_state'] === 'unpriced' || row['cost_state'] === 'in_doubt';
}

const DETAIL: ReadonlySet<string> = new Set(DETAIL_COLUMNS);

function differences(entry: Row, row: Row, { through }: Retired): readonly string[] {
  let stored: Row;
  try {
    stored = fromRowEntry(row).fields;
  } catch (error) {
    return [`its row cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
  const mayBeGone = through > 0 && (Date.parse(String(stored['effective_at'])) <= through || keepsItsCall(stored));
  return Object.entries(stored).flatMap(([name, value]) => {
    const written = entry[name];
    if (mayBeGone && DETAIL.has(name) && isEmpty(value)) return [];
    if (written === undefined ? isEmpty(value) : isDeepStrictEqual(written, value)) return [];
    return [`${name} is ${JSON.stringify(value)} in the store, and ${JSON.stringify(written)} in the journal`];
  });
}

/** What the store makes of a field that an older entry does not have. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === '' || value === 0 || value === '0') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function rowOf(body: Buffer): Row | null {
  try {
    const json: unknown = JSON.parse(body.toString());
    invariant(typeof json === 'object' && json !== null, 'an entry is an object');
    return { ...json };
  } catch {
    return null;
  }
}

function idOf(entry: Row): string {
  return String(entry['entry_id']);
}
