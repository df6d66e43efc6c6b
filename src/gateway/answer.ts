import { jsonValueEnd } from '#std';
import { LIMITS, type ApportionError } from '#terms';
import type { AnswerContext, AnswerFacts, Dialect, StreamMeter, Wire } from '#wires';
import type { Client } from './client.ts';
import { ERROR_EVENTS } from './dialect-errors.ts';

export type AnswerHead = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

export type ShownCost = { readonly usd: string | null; readonly state: string };

/** An answer on its way to the caller. Its end is released only once the ledger entry is durable. */
export type Answer = {
  data(chunk: Buffer): void;
  /** Whether its terminal event was seen. */
  complete(): boolean;
  facts(): AnswerFacts;
  /** Releases the end. `headers` carry the cost where they are not sent yet. */
  finish(cost: ShownCost, headers: Readonly<Record<string, string>>): void;
  /** Ends a begun answer so that no caller takes it for complete. */
  fail(error: ApportionError): void;
  /** Whether the caller already has part of it, so that an error can no longer be answered instead. */
  begun(): boolean;
  /** Whether a refusal speaks of something. */
  mentions(text: string): boolean;
  /** All of it; null where it passes and is not held. */
  held(): Buffer | null;
};

const USAGE_TAIL_BYTES = 64 * 1024;
const FACTS_HEAD_BYTES = 1024;

export type HeldParts = {
  readonly client: Client;
  readonly head: AnswerHead;
  readonly wire: Wire;
  readonly context: AnswerContext;
  /** What the caller sees of an answer that is held. */
  readonly shown: (bytes: Buffer) => Buffer;
};

/**
 * An answer that is no stream. It is held whole, for the cost header and the journal; beyond the limit, or if it is to
 * pass, it streams through, and only its last bytes are held.
 */
export class HeldAnswer implements Answer {
  readonly #client: Client;
  readonly #wire: Wire;
  readonly #context: AnswerContext;
  readonly #head: AnswerHead;
  readonly #shown: HeldParts['shown'];
  #chunks: Buffer[] = [];
  #bytes = 0;
  #overflow: { readonly start: Buffer; tail: Buffer } | null = null;

  constructor({ client, head, wire, context, shown }: HeldParts, mode: 'hold' | 'pass') {
    this.#client = client;
    this.#wire = wire;
    this.#context = context;
    this.#head = head;
    this.#shown = shown;
    if (mode === 'pass') this.#overflowNow();
  }

  begun(): boolean {
    return this.#overflow !== null;
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#overflow !== null) {
      const held = Buffer.concat([this.#overflow.tail, chunk]);
      const cut = Math.max(0, held.length - USAGE_TAIL_BYTES);
      if (cut > 0) this.#client.write(held.subarray(0, cut));
      this.#overflow.tail = held.subarray(cut);
      return;
    }
    this.#chunks.push(chunk);
    // What is put into other words is put so as a whole.
    if (this.#bytes > LIMITS.heldAnswerBytes && (this.#wire.far?.words ?? null) === null) this.#overflowNow();
  }

  complete(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    if (this.#overflow === null) return this.#wire.readAnswer(this.#whole(), this.#context);
    const { start, tail } = this.#overflow;
    const facts = this.#wire.readAnswer(summaryOf(this.#wire, { start, tail }), this.#context);
    const isText = String(this.#context.headers['content-type']).includes('json');
    return { ...facts, outputCharsBeyond: isText && !facts.usageComplete ? this.#bytes : 0 };
  }

  mentions(text: string): boolean {
    return this.#overflow === null && this.#whole().includes(text);
  }

  held(): Buffer | null {
    return this.#overflow === null ? this.#whole() : null;
  }

  finish(_cost: ShownCost, headers: Readonly<Record<string, string>>): void {
    if (this.#client.gone) return;
    if (this.#overflow !== null) {
      this.#client.end(this.#overflow.tail);
      return;
    }
    const words = this.#wire.far?.words ?? null;
    const { status } = this.#head;
    const given = this.#whole();
    const body =
      words === null ? this.#shown(given) : words.showAnswer({ bytes: given, status, context: this.#context });
    this.#client.response.writeHead(status, {
      ...this.#head.headers,
      ...headers,
      'content-length': String(body.length),
    });
    this.#client.end(body);
  }

  fail(): void {
    this.#client.break();
  }

  /** Put together once: it is read for its facts and sent. */
  #whole(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  #overflowNow(): void {
    const whole = this.#whole();
    this.#chunks = [];
    const cut = Math.max(0, whole.length - USAGE_TAIL_BYTES);
    this.#overflow = { start: Buffer.from(whole.subarray(0, FACTS_HEAD_BYTES)), tail: whole.subarray(cut) };
    if (!this.#client.gone) this.#client.response.writeHead(this.#head.status, this.#head.headers);
    if (cut > 0) this.#client.write(whole.subarray(0, cut));
  }
}

export type StreamedParts = {
  readonly client: Client;
  readonly meter: StreamMeter;
  readonly head: AnswerHead;
  readonly dialect: Dialect;
};

/** A streamed answer: events pass as they come, the terminal one waits. */
export class StreamedAnswer implements Answer {
  readonly #client: Client;
  readonly #meter: StreamMeter;
  readonly #dialect: Dialect;

  constructor({ client, meter, head, dialect }: StreamedParts) {
    this.#client = client;
    this.#meter = meter;
    this.#dialect = dialect;
    if (client.gone) return;
    client.response.writeHead(head.status, head.headers);
    client.response.flushHeaders();
  }

  begun(): boolean {
    return true;
  }

  data(chunk: Buffer): void {
    const shown = this.#meter.push(chunk);
    if (shown !== null) this.#client.write(shown);
  }

  complete(): boolean {
    return this.#meter.finished();
  }

  mentions(): boolean {
    return false;
  }

  held(): null {
    return null;
  }

  facts(): AnswerFacts {
    return this.#meter.facts();
  }

  finish(cost: ShownCost): void {
    this.#client.end(this.#meter.closing(cost));
  }

  /** SDKs raise an event with an `error`; the missing terminal event tells the others. */
  fail(error: ApportionError): void {
    this.#client.end(ERROR_EVENTS[this.#dialect](error));
  }
}

/** Usage stands near the end of a large answer and the id at its start; what lies between is not kept. */
function summaryOf({ names }: Wire, { start, tail }: { start: Buffer; tail: Buffer }): Buffer {
  const ends = [tail, start];
  const member = (name: string): string => {
    const values = ends.map((bytes) => lastValue(bytes, name));
    return `${JSON.stringify(name)}:${values.find((value) => value !== null) ?? 'null'}`;
  };
  return Buffer.from(`{${[names.id, names.model, names.usage, ...(names.beside ?? [])].map(member).join(',')}}`);
}

/** The JSON of the last whole member of that name; null where there is none. */
function lastValue(bytes: Buffer, name: string): string | null {
  const key = Buffer.from(`${JSON.stringify(name)}:`);
  for (let at = bytes.lastIndexOf(key); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(key, at - 1)) {
    let from = at + key.length;
    while (bytes[from] === SPACE) from += 1;
    const end = jsonValueEnd(bytes, from);
    if (end !== -1) return bytes.toString('utf8', from, end);
  }
  return null;
}

const SPACE = 0x20;
