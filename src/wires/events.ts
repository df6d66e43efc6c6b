const LF = 0x0a;
const CR = 0x0d;

/** Cuts a stream of server-sent events into events, whatever the chunks it comes in. Bytes are never copied unless cut. */
export class EventBuffer {
  #rest: Buffer | null = null;

  /** The whole events, each with the blank line that ends it. What is left waits for the next chunk. */
  push(chunk: Buffer): Buffer[] {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    const events: Buffer[] = [];
    let from = 0;
    for (let end = eventEnd(data, from); end !== -1; end = eventEnd(data, from)) {
      events.push(data.subarray(from, end));
      from = end;
    }
    this.#rest = from === data.length ? null : data.subarray(from);
    return events;
  }

  /** The beginning of an event whose end has not come; null between events. */
  get rest(): Buffer | null {
    return this.#rest;
  }

  /** Gives the rest up: an event larger than the limit is passed on unread. */
  takeRest(): Buffer | null {
    const rest = this.#rest;
    this.#rest = null;
    return rest;
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

/** The payload of an event's `data:` line, undefined when it has none or it is not JSON. */
export function readEventPayload(event: Buffer): unknown {
  const text = event.toString('utf8');
  const at = text.startsWith('data:') ? 0 : text.indexOf('\ndata:') + 1;
  if (at === 0 && !text.startsWith('data:')) return undefined;
  try {
    return JSON.parse(text.slice(at + 'data:'.length));
  } catch {
    // A provider may send anything; an event that cannot be read goes on as it came and says nothing.
    return undefined;
  }
}
