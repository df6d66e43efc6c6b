import { invariant } from '#std';
import { LIMITS, picoUsd } from '#terms';
import type { Rows } from './insert.ts';
import type { SeqRange, Totals } from './store.ts';

/** An entry as the journal has it: its place and its text. */
export type JournalEntry = { readonly seq: number; readonly body: Buffer };

/** What shipping needs of the journal: entries after one sequence number up to another, in order, without a gap. */
export type EntryReader = {
  /** Entries may be good only until the next call. */
  next(want: { after: number; through: number; maxEntries: number; maxBytes: number }): readonly JournalEntry[];
  /** Entries up to here are gone because their retention was over; 0 for none. */
  retired(): number;
};

/** A run of consecutive entries that goes to the store as one insert. */
export type Shipment = SeqRange & { readonly entries: readonly JournalEntry[] };

/** The next entries that fit one insert; null when the journal does not show them yet. */
export function readNext(reader: EntryReader, after: number, through: number): Shipment | null {
  const entries = reader.next({ after, through, maxEntries: LIMITS.shipmentEntries, maxBytes: LIMITS.shipmentBytes });
  const last = entries.at(-1);
  if (last === undefined) return null;
  checkOrder(entries, after);
  return { first: after + 1, last: last.seq, entries };
}

/** Exactly the entries of a range that was cut before, however the limits would cut it now; null when some are missing. */
export function readRange(reader: EntryReader, { first, last }: SeqRange): Shipment | null {
  const entries: JournalEntry[] = [];
  for (let after = first - 1; after < last; after = first - 1 + entries.length) {
    const more = reader.next({ after, through: last, maxEntries: last - after, maxBytes: LIMITS.shipmentBytes });
    if (more.length === 0) return null;
    checkOrder(more, after);
    if (more.length > last - first) return { first, last, entries: more };
    for (const { seq, body } of more) entries.push({ seq, body: Buffer.from(body) });
  }
  return { first, last, entries };
}

function checkOrder(entries: readonly JournalEntry[], after: number): void {
  entries.forEach(({ seq }, index) =>
    invariant(seq === after + 1 + index, `the journal has no gap: ${after + 1 + index} is expected, ${seq} came`),
  );
}

/** Of a number that is exact, and a comma. */
const MOST_SEQ_CHARS = 17;

// JSON text escapes a surrogate only when it stands alone. The engine's JSON columns refuse such a string, and the whole entry with it.
const LONE_SURROGATE_ESCAPE = Buffer.from('\\ud');

/**
 * The row of each entry: its own text, with where it came from put in front. All are made in the same memory, each when it is asked for: thousands
 * of them at once would be twice the memory of their entries, and cost as much to let go as to store.
 */
export function rowsOf(nodeId: string, entries: readonly JournalEntry[]): Rows {
  return { length: entries.length, [Symbol.iterator]: () => eachRow(nodeId, entries) };
}

function* eachRow(nodeId: string, entries: readonly JournalEntry[]): Generator<Buffer> {
  const node = Buffer.from(`{"node_id":${JSON.stringify(nodeId)},"seq":`);
  let memory: Buffer = Buffer.alloc(0);
  for (const { seq, body } of entries) {
    const text = body.includes(LONE_SURROGATE_ESCAPE) ? wellFormed(body) : body;
    const most = node.length + MOST_SEQ_CHARS + text.length;
    if (memory.length < most) {
      memory = Buffer.allocUnsafeSlow(most * 2);
      node.copy(memory);
    }
    const at = node.length + memory.write(`${seq},`, node.length);
    yield memory.subarray(0, at + text.copy(memory, at, 1));
  }
}

function wellFormed(body: Buffer): Buffer {
  const entry = parseBody(body);
  if (entry === null) return body;
  const clean: unknown = JSON.parse(JSON.stringify(entry), (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
  return Buffer.from(JSON.stringify(clean));
}

/** What the journal says a range amounts to. Entries without a known cost count, and add nothing to the sum. */
export function totalsOf(entries: readonly JournalEntry[]): Totals {
  let cost = 0n;
  for (const { body } of entries) {
    const entry = parseBody(body);
    if (entry !== null && 'cost' in entry && typeof entry.cost === 'string') cost += BigInt(entry.cost);
  }
  return { entries: entries.length, cost: picoUsd(cost) };
}

/** Null when the text is no JSON object; such an entry ends in quarantine. */
function parseBody(body: Buffer): object | null {
  try {
    const entry: unknown = JSON.parse(body.toString());
    return typeof entry === 'object' ? entry : null;
  } catch {
    return null;
  }
}
