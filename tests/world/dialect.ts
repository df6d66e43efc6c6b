import type { Seeded } from './behaviour.ts';
import type { BilledMeters, ServedModel } from './price-list.ts';

/** A request as it arrived. */
export type Received = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** What a provider says instead of an answer, in its own envelope. */
export type Refusal = {
  readonly status: number;
  readonly envelope: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What the upstream has beside its price lists. */
export type Stock = {
  /** Models beside the dialect's own. */
  readonly models: Readonly<Record<string, ServedModel>>;
  /** Uploaded files, by id. */
  readonly files: Map<string, StoredFile>;
};

export type StoredFile = { readonly name: string; readonly purpose: string; readonly bytes: Buffer };

/** A request that was understood, and can be answered. */
export type Prepared = {
  /** Where behaviours are looked for: what the user wrote last. */
  readonly text: string;
  answer(behaviour: Seeded): Answer | Refusal;
};

export type Answer = {
  readonly charge: Charge | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WholeBody | StreamedBody;
};

/** What goes on the bill. `words` are the tier and the place that were served. */
export type Charge = {
  readonly id: string;
  readonly model: string;
  readonly served: ServedModel;
  readonly meters: BilledMeters;
  readonly words: readonly string[];
};

export type WholeBody = { readonly kind: 'whole'; readonly contentType: string; readonly bytes: Buffer };

export type StreamedBody = {
  readonly kind: 'stream';
  readonly contentType: string;
  readonly events: readonly StreamEvent[];
  /** What ends each event; empty where the events are pieces of one text. */
  readonly end: string;
  /** How its texts are bytes; UTF-8 when not said. */
  readonly encoding?: 'latin1';
  /** The event of an answer that fails on the way. */
  readonly errorEvent: string;
  /** The whole body of one that fails at once. */
  readonly errorAlone: string;
};

/** `says`: it carries a part of the output, so that what was delivered can be counted. */
export type StreamEvent = { readonly text: string; readonly says: boolean };

export type Operation = (received: Received, stock: Stock) => Promise<Prepared | Refusal> | Prepared | Refusal;

/** One provider's format: its own folder, price list and strictness. */
export type Dialect = {
  readonly name: string;
  owns(received: Received): boolean;
  /** `tokens` are those that a cloud's sign-in gave. */
  authorize(received: Received, apiKey: string, tokens: ReadonlySet<string>): Refusal | undefined;
  /** Undefined for an address the provider does not have. */
  operation(received: Received): Operation | undefined;
  /** The envelope of an HTTP error, in the provider's words. */
  refusal(status: number, message: string): Refusal;
};

export function isRefusal(value: object): value is Refusal {
  return 'envelope' in value;
}

export function wholeJson(value: object, contentType = 'application/json'): WholeBody {
  return { kind: 'whole', contentType, bytes: Buffer.from(JSON.stringify(value)) };
}

/** Server-sent events as OpenAI and Anthropic send them; Google ends them with CRLF. */
export function eventStream(
  events: readonly StreamEvent[],
  errorEvent: string,
  { contentType = 'text/event-stream; charset=utf-8', end = '\n\n' } = {},
): StreamedBody {
  return { kind: 'stream', contentType, events, end, errorEvent, errorAlone: `${errorEvent}${end}` };
}
