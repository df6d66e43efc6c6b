import { setImmediate as nextTurn } from 'node:timers/promises';
import { openEntryReader } from '#ledger/read';

const CALL_ID = Buffer.from('"call_id":"');
const CALL_ID_CHARS = 37;
/** `call_`, and the time in hexadecimal. */
const TIME_CHARS = 17;
const HEAD_BYTES = 512;

const TOGETHER = { maxEntries: 1000, maxBytes: 4 * 1024 * 1024 };

type Range = { readonly after: number; readonly through: number };

/**
 * The calls of the journal, in a range of it, that began in one of these milliseconds. Lines of a batch are named after the moment it was
 * created: of the calls it finds, those of its lines are the ones that have their entry.
 * @param times beginnings of call ids: `call_` and twelve digits
 */
export async function recordedCalls(
  dir: string,
  { after, through }: Range,
  times: ReadonlySet<string>,
): Promise<Set<string>> {
  const reader = openEntryReader(dir);
  const found = new Set<string>();
  try {
    let at = Math.max(after, reader.retired());
    while (at < through) {
      const entries = reader.next({ ...TOGETHER, after: at, through });
      for (const { body } of entries) {
        const callId = callOf(body);
        if (times.has(callId.slice(0, TIME_CHARS))) found.add(callId);
      }
      const last = entries.at(-1);
      if (last === undefined) break;
      at = last.seq;
      // Calls go on while an old journal is read.
      await nextTurn();
    }
  } finally {
    reader.close();
  }
  return found;
}

/** The id stands near the beginning of an entry, after its schema and salt. */
function callOf(body: Buffer): string {
  const head = body.subarray(0, HEAD_BYTES);
  const at = head.indexOf(CALL_ID);
  return at === -1 ? '' : head.toString('latin1', at + CALL_ID.length, at + CALL_ID.length + CALL_ID_CHARS);
}

export function timeOf(callId: string): string {
  return callId.slice(0, TIME_CHARS);
}
