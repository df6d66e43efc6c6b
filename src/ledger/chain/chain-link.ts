import { hash } from 'node:crypto';

/** Where a node's chain begins, before its first entry. */
export function chainStart(nodeId: string): Buffer {
  return hash('sha256', `apportion chain 1\n${nodeId}`, 'buffer');
}

/** The head after an entry: whoever knows it knows every entry before, in its order. */
export function nextHead(head: Buffer, digest: Buffer): Buffer {
  return hash('sha256', Buffer.concat([head, digest]), 'buffer');
}

const POSTED_AT = Buffer.from('"posted_at":"');
const DAY = /^\d{4}-\d\d-\d\d$/;

/** The UTC day an entry was posted on, null where it does not say. */
export function postedDay(body: Buffer): string | null {
  // From the end: a tag may have that name, and tags come first. In other texts the quotes are escaped.
  const at = body.lastIndexOf(POSTED_AT);
  if (at < 0) return null;
  const start = at + POSTED_AT.length;
  const day = body.toString('latin1', start, start + 10);
  return DAY.test(day) ? day : null;
}

/** A chain as it grows: each UTC day ends with the head after its last entry. */
export class GrowingChain {
  #seq: number;
  #head: Buffer;
  #day: string | null;

  constructor(start: ChainPoint) {
    this.#seq = start.seq;
    this.#head = start.head;
    this.#day = start.day;
  }

  get point(): ChainPoint {
    return { seq: this.#seq, head: this.#head, day: this.#day };
  }

  /**
   * Takes the next entry. Returns the end of a day when the entry is the first of a later one. An entry posted on an earlier day
   * than the one before it (a clock was put back) counts to the later day.
   */
  add(digest: Buffer, day: string | null): ChainPoint | null {
    const ended = this.#day !== null && day !== null && day > this.#day ? this.point : null;
    this.#seq += 1;
    this.#head = nextHead(this.#head, digest);
    if (day !== null && (this.#day === null || day > this.#day)) this.#day = day;
    return ended;
  }
}

/** The chain after entry `seq`; `day` is that of the newest entry so far. */
export type ChainPoint = { readonly seq: number; readonly head: Buffer; readonly day: string | null };
