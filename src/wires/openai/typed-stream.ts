import { LIMITS, type Usage } from '#terms';
import { EventBuffer, payloadOf, readEventPayload } from '../events.ts';
import { NO_FACTS, type AnswerContext, type AnswerFacts, type ClosingCost, type StreamMeter } from '../wire.ts';
import { findValue, mayHoldError } from './key-search.ts';
import { KeptDeltas } from './kept-deltas.ts';
import { asObject, asText } from '../loose-json.ts';
import { mostComplete } from './most-complete.ts';

/** How one operation streams: events that say their type, the last of which carries the usage. */
export type TypedEvents = {
  /** The types of a last event. */
  readonly ends: readonly string[];
  /** Reads what the payload of a last event says. */
  readonly readEnd: (payload: Buffer, context: AnswerContext) => AnswerFacts;
  /** The usage of an answer that ended without saying it. */
  readonly readUnsaid: (context: AnswerContext) => Usage | null;
};

/**
 * Follows server-sent events that say their type (`response.completed`, `transcript.text.done`). All go on as they came; the
 * last is held until the cost is known and durable, and there is no `[DONE]`: what a server sends behind the last event goes
 * to nobody.
 */
export class TypedStreamMeter implements StreamMeter {
  readonly #events: TypedEvents;
  readonly #context: AnswerContext;
  readonly #endMarks: readonly string[];
  readonly #buffer = new EventBuffer();
  readonly #deltas = new KeptDeltas();
  /** Last events still to come: several images end one by one. */
  #endsMissing: number;
  #held: Buffer | null = null;
  #head: Pick<AnswerFacts, 'id' | 'model'> | null = null;
  #end: AnswerFacts | null = null;
  #failed = false;

  constructor(events: TypedEvents, context: AnswerContext) {
    this.#events = events;
    this.#context = context;
    this.#endMarks = events.ends.map((end) => `${end}"`);
    this.#endsMissing = Math.max(1, context.request.choices);
  }

  push(chunk: Buffer): Buffer | null {
    const out: Buffer[] = [];
    for (const event of this.#buffer.push(chunk)) {
      const shown = this.#take(event);
      if (shown !== null) out.push(shown);
    }
    if (this.#buffer.restBytes > LIMITS.streamEventBytes) {
      const rest = this.#buffer.takeRest();
      if (rest !== null) out.push(rest);
    }
    if (out.length === 0) return null;
    return out.length === 1 ? (out[0] ?? null) : Buffer.concat(out);
  }

  finished(): boolean {
    return this.#endsMissing === 0;
  }

  facts(): AnswerFacts {
    const usage = this.#end?.usage ?? (this.#failed ? null : this.#events.readUnsaid(this.#context));
    const unknown = usage === null;
    return {
      ...NO_FACTS,
      ...this.#head,
      ...this.#end,
      usage,
      usageComplete: !unknown,
      outputText: unknown ? this.#deltas.text : '',
      outputCharsBeyond: unknown ? this.#deltas.charsBeyond : 0,
      failed: this.#failed || this.#end?.failed === true,
    };
  }

  closing(cost: ClosingCost): Buffer {
    const rest = this.finished() ? null : this.#buffer.rest;
    // A comment is only legal between events: an unfinished one at the end of a cut stream stays unfinished.
    const comment = rest === null ? `: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n` : '';
    const held = this.#held ?? Buffer.alloc(0);
    return Buffer.concat([Buffer.from(comment), held, rest ?? Buffer.alloc(0)]);
  }

  #take(event: Buffer): Buffer | null {
    const ended = this.finished();
    const text = event.toString('latin1', 0, event.length);
    const name = nameOf(text);
    const end = this.#readEnd(event, { text, name });
    if (ended) return null;
    if (!end) {
      this.#read(event, { text, name });
      return this.#release(event);
    }
    this.#endsMissing -= 1;
    const released = this.#held;
    this.#held = event;
    return released;
  }

  #release(event: Buffer): Buffer {
    const released = this.#held;
    this.#held = null;
    return released === null ? event : Buffer.concat([released, event]);
  }

  /** Whether it is a last event; what it says is kept. */
  #readEnd(event: Buffer, { text, name }: Named): boolean {
    const maybe = name === '' ? this.#endMarks.some((mark) => text.includes(mark)) : this.#events.ends.includes(name);
    if (!maybe) return false;
    const type = asText(asObject(readEventPayload(event))?.['type']) || name;
    const payload = payloadOf(event);
    if (payload === null || !this.#events.ends.includes(type)) return false;
    const facts = this.#events.readEnd(payload, this.#context);
    this.#end = { ...facts, usage: ofBoth(this.#end?.usage ?? null, facts.usage) };
    return true;
  }

  #read(event: Buffer, { text, name }: Named): void {
    if (this.#head === null || name === 'error' || (name === '' && mayHoldError(text))) {
      if (this.#readHead(event, name)) return;
    }
    const at = findValue(text, 'delta');
    if (at !== -1) this.#deltas.keep(text.slice(at));
  }

  /** True when the event is an error: its text was not written by a model. */
  #readHead(event: Buffer, name: string): boolean {
    const payload = asObject(readEventPayload(event));
    if (payload === null) return false;
    const answer = asObject(payload['response']) ?? payload;
    this.#head ??= { id: asText(answer['id']), model: asText(answer['model']) };
    const failed = payload['type'] === 'error' || name === 'error' || asObject(payload['error']) !== null;
    if (failed) this.#failed = true;
    return failed;
  }
}

/** Two last events that differ may speak of the whole or each of its part, which nobody documents: the larger, and flagged. */
function ofBoth(known: Usage | null, next: Usage | null): Usage | null {
  const usage = mostComplete(known, next);
  if (known === null || next === null || usage === null || known.raw === next.raw) return usage;
  return { ...usage, inconsistent: true };
}

type Named = { readonly text: string; readonly name: string };

/** What the `event:` line at its start says; empty when there is none. */
function nameOf(text: string): string {
  return text.startsWith('event:') ? text.slice('event:'.length, text.indexOf('\n')).trim() : '';
}
