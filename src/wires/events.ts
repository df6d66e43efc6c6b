const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** The longest blank line that can be cut by the end of a chunk: `\n\r\n`, but for its last byte. */
const SEAM_BYTES = 2;

const DATA = 'data:';

/** Cuts a stream of server-sent events into events, whatever the chunks it comes in. Bytes are never copied unless cut. */
export class EventBuffer {
  /** An event whose end has not come, in the chunks it came in: an image of megabytes is put together once, at its end. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** The last bytes of it, which may be the first of the blank line. */
  #seam: Buffer | null = null;

  /** The whole events, each with the blank line that ends it. What is left waits for the next chunk. */
  push(chunk: Buffer): Buffer[] {
    const data = this.#join(chunk);
    if (data === null) return [];
    const events: Buffer[] = [];
    let from = 0;
    for (let end = eventEnd(data, from); end !== -1; end = eventEnd(data, from)) {
      events.push(data.subarray(from, end));
      from = end;
    }
    this.#wait(from === data.length ? null : data.subarray(from));
    return events;
  }

  /** The beginning of an event whose end has not come; null between events. */
  get rest(): Buffer | null {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? null;
  }

  get restBytes(): number {
    return this.#bytes;
  }

  /** Gives the rest up: an event larger than the limit is passed on unread. */
  takeRest(): Buffer | null {
    const rest = this.rest;
    this.#wait(null);
    return rest;
  }

  /** What waited and the chunk, null while no event can end in it. */
  #join(chunk: Buffer): Buffer | null {
    if (this.#seam === null) return chunk;
    const seam = Buffer.concat([this.#seam, chunk]);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (eventEnd(seam, 0) !== -1) return this.rest;
    this.#seam = seam.subarray(-SEAM_BYTES);
    return null;
  }

  #wait(rest: Buffer | null): void {
    this.#chunks = rest === null ? [] : [rest];
    this.#bytes = rest === null ? 0 : rest.length;
    this.#seam = rest === null ? null : rest.subarray(-SEAM_BYTES);
  }
}

/** One past the blank line that ends the event, -1 when it is not complete. */
function eventEnd(data: Buffer, from: number): number {
  let at = data.indexOf(LF, from);
  while (at !== -1) {
    if (data[at + 1] === LF) return at + 2;
    if (data[at + 1] === CR && data[at + 2] === LF) return at + 3;
    at = data.indexOf(LF, at + 1);
  }
  return -1;
}

/** The bytes of an event's first `data:` line, null when it has none. JSON in an event never contains a line break. */
export function payloadOf(event: Buffer): Buffer | null {
  let line = 0;
  while (line < event.length) {
    const end = event.indexOf(LF, line);
    const stop = end === -1 ? event.length : end;
    if (event.toString('latin1', line, line + DATA.length) === DATA)
      return trimmed(event.subarray(line + DATA.length, stop));
    line = stop + 1;
  }
  return null;
}

function trimmed(bytes: Buffer): Buffer {
  const end = bytes[bytes.length - 1] === CR ? bytes.length - 1 : bytes.length;
  return bytes.subarray(bytes[0] === SPACE ? 1 : 0, end);
}

/** What the `event:` line at an event's start says; empty when there is none. */
export function eventName(event: Buffer): string {
  if (event.toString('latin1', 0, 6) !== 'event:') return '';
  return event.toString('latin1', 6, event.indexOf(LF)).trim();
}

/** The payload of an event's `data:` line, undefined when it has none or it is not JSON. */
export function readEventPayload(event: Buffer): unknown {
  const payload = payloadOf(event);
  if (payload === null) return undefined;
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // A provider may send anything; an event that cannot be read goes on as it came and says nothing.
    return undefined;
  }
}
