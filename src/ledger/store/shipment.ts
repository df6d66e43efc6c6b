import { invariant } from '#std';
import { LIMITS, picoUsd } from '#terms';
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

/** Of rows: a shipment, and some for what is put in front. A single entry may be larger. */
const MOST_KEPT_BYTES = LIMITS.shipmentBytes + 4 * 1024 * 1024;

/** Of a number that is exact, and a comma. */
const MOST_SEQ_CHARS = 17;

// JSON text escapes a surrogate only when it stands alone. The engine's JSON columns refuse such a string, and the whole entry with it.
const LONE_SURROGATE_ESCAPE = Buffer.from('\\ud');

/** A row is its own entry's text, with where it came from put in front. */
export class RowMaker {
  readonly #node: Buffer;
  #memory: Buffer = Buffer.alloc(0);

  constructor(nodeId: string) {
    this.#node = Buffer.from(`{"node_id":${JSON.stringify(nodeId)},"seq":`);
  }

  /** The rows are good until the next ones are made: they lie in the same memory, which costs nothing to let go. */
  rowsOf(entries: readonly JournalEntry[]): Buffer[] {
    const texts = entries.map(({ body }) => (body.includes(LONE_SURROGATE_ESCAPE) ? wellFormed(body) : body));
    const memory = this.#memoryOf(
      texts.reduce((bytes, text) => bytes + this.#node.length + MOST_SEQ_CHARS + text.length, 0),
    );
    let end = 0;
    return entries.map(({ seq }, index) => {
      const start = end;
      end += this.#node.copy(memory, end);
      end += memory.write(`${seq},`, end);
      end += texts[index]?.copy(memory, end, 1) ?? 0;
      return memory.subarray(start, end);
    });
  }

  #memoryOf(bytes: number): Buffer {
    if (bytes > MOST_KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(Math.min(MOST_KEPT_BYTES, bytes * 2));
    return this.#memory;
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
