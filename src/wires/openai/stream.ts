import { jsonValueEnd } from '#std';
import { LIMITS, type Usage } from '#terms';
import { EventBuffer, eventName, readEventPayload } from '../events.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter, UsageObject } from '../wire.ts';
import { usageContext } from '../answer-context.ts';
import { withBreakdown } from './breakdown.ts';
import { findKey, findValue, mayHoldError } from './key-search.ts';
import { KeptDeltas } from './kept-deltas.ts';
import { asObject, asObjects, asText, parseLoosely } from '../loose-json.ts';
import { mostComplete } from './most-complete.ts';
import { usageWithout } from '../reading.ts';
import { openAiChatUsage } from './usage.ts';

const OPEN_OBJECT = 0x7b;
const COMMA = 0x2c;
const LETTER_E = 0x65;
/** `data: [DONE]` and its blank line, with room for spaces. */
const DONE_BYTES_MAX = 40;

/** An event that waits to learn the cost, and where its usage object ends (-1 when it cannot be told). */
type Held = { readonly bytes: Buffer; readonly usageEnd: number; readonly takesCost: boolean };

/**
 * Follows OpenAI server-sent events at event boundaries. Events go on as they came, but for three edits: `usage: null`
 * and the extra usage chunk (both there because we asked) are hidden from a caller who did not ask, and the usage event
 * and `[DONE]` are held until the cost is known and durable. What comes after `[DONE]` goes to nobody.
 */
export class ChatStreamMeter implements StreamMeter {
  readonly #context: AnswerContext;
  /** Usage that comes unasked is the caller's, who would get it without us. */
  readonly #showsUsage: boolean;
  readonly #buffer = new EventBuffer();
  readonly #deltas = new KeptDeltas();
  #done: Buffer | null = null;
  #held: Held | null = null;
  #headRead = false;
  #id = '';
  #model = '';
  #serviceTier = '';
  #usage: Usage | null = null;
  /** How much was written when the usage was read. */
  #usageMark = 0;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#showsUsage = context.request.wantsUsage || context.quirks.streamUsage === 'always';
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
      this.#deltas.skip(rest?.length ?? 0);
    }
    if (out.length === 0) return null;
    return out.length === 1 ? (out[0] ?? null) : Buffer.concat(out);
  }

  finished(): boolean {
    return this.#done !== null;
  }

  facts(): AnswerFacts {
    const usage = this.#usage ?? this.#statedCost();
    // Usage that came before the end of the text speaks of a part of it.
    const complete = usage !== null && !this.#deltas.wroteSince(this.#usageMark);
    return {
      id: this.#id,
      model: this.#model,
      usage,
      usageComplete: complete,
      outputText: complete ? '' : this.#deltas.text,
      outputCharsBeyond: complete ? 0 : this.#deltas.charsBeyond,
      failed: this.#failed,
    };
  }

  closing(cost: ClosingCost): Buffer {
    const parts: Buffer[] = [];
    if (this.#held !== null) parts.push(withCost(this.#held, cost.usd));
    const rest = this.#done === null ? this.#buffer.rest : null;
    // A comment is only legal between events: an unfinished one at the end of a cut stream stays unfinished.
    if (rest === null) parts.push(Buffer.from(`: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`));
    if (this.#done !== null) parts.push(this.#done);
    else if (rest !== null) parts.push(rest);
    return Buffer.concat(parts);
  }

  /** Gives what of the event goes on now. */
  #take(event: Buffer): Buffer | null {
    if (this.#done !== null) {
      // A late count still counts, though nothing of the event goes on.
      this.#takeData(event);
      return null;
    }
    if (isDone(event)) {
      this.#done = event;
      return null;
    }
    const released = this.#held?.bytes ?? null;
    this.#held = null;
    const shown = this.#takeData(event);
    if (released === null) return shown;
    return shown === null ? released : Buffer.concat([released, shown]);
  }

  #takeData(event: Buffer): Buffer | null {
    const text = event.toString('latin1', 0, event.length);
    if (!this.#headRead || event[0] === LETTER_E || mayHoldError(text)) {
      if (this.#readHead(event, text)) return event;
    }
    let at = findKey(text, 'usage', text.length);
    if (at === -1) {
      this.#keepDelta(text);
      return event;
    }
    const last = at;
    // Groq sends one more, inside `x_groq`.
    for (; at !== -1; at = findKey(text, 'usage', at - 1))
      if (event[valueAfter(event, at)] === OPEN_OBJECT) return this.#takeUsage(event, { text, at });
    this.#keepDelta(text);
    return this.#showsUsage ? event : hideNullUsage(event, last);
  }

  #takeUsage(event: Buffer, found: { readonly text: string; readonly at: number }): Buffer | null {
    const valueStart = valueAfter(event, found.at);
    const payload = asObject(readEventPayload(event)) ?? {};
    this.#readNames(payload);
    this.#keepDelta(found.text);
    const usageEnd = jsonValueEnd(event, valueStart);
    const text = usageEnd === -1 ? '' : event.toString('utf8', valueStart, usageEnd);
    const read = openAiChatUsage(text, usageContext(this.#context, { serviceTier: this.#serviceTier }));
    if (read !== null) {
      const usage = withBreakdown(read, payload['usage_breakdown'] ?? payload['x_groq']);
      this.#usage = mostComplete(this.#usage, usage);
      this.#usageMark = this.#deltas.mark;
    }
    const choices = asObjects(payload['choices']);
    const last = choices.length === 0 || choices.some((choice) => typeof choice['finish_reason'] === 'string');
    if (this.#showsUsage && last && this.#done === null) {
      this.#held = { bytes: event, usageEnd, takesCost: takesCost(text) };
      return null;
    }
    return this.#showsUsage || choices.length > 0 || !Array.isArray(payload['choices']) ? event : null;
  }

  /** True when the event is an error: its text was not written by a model. */
  #readHead(event: Buffer, text: string): boolean {
    const payload = asObject(readEventPayload(event));
    if (payload !== null) this.#readNames(payload);
    const error = payload?.['error'] ?? (payload?.['object'] === 'error' ? payload : null);
    if (error === null && eventName(event) !== 'error') return false;
    this.#failed = true;
    return findKey(text, 'usage', text.length) === -1;
  }

  #readNames(payload: UsageObject): void {
    this.#headRead = true;
    if (asText(payload['id']) !== '') this.#id = asText(payload['id']);
    if (asText(payload['model']) !== '') this.#model = asText(payload['model']);
    if (typeof payload['service_tier'] === 'string') this.#serviceTier = payload['service_tier'];
  }

  /** What a model wrote stands in `delta` in a chat, in `text` in a completion. */
  #keepDelta(text: string): void {
    const delta = findValue(text, 'delta');
    const at = delta === -1 ? findValue(text, 'text') : delta;
    if (at !== -1) this.#deltas.keep(text.slice(at));
  }

  #statedCost(): Usage | null {
    const context = usageContext(this.#context, { serviceTier: this.#serviceTier });
    return context.reportedCost === undefined ? null : usageWithout({}, context);
  }
}

function isDone(event: Buffer): boolean {
  const start = event.length < DONE_BYTES_MAX ? event.toString('latin1').trimStart() : '';
  return start.startsWith('data: [DONE]') || start.startsWith('data:[DONE]');
}

/** Where the value of the key that begins at `at` begins. */
function valueAfter(event: Buffer, at: number): number {
  let from = at + '"usage"'.length;
  while (event[from] === 0x20 || event[from] === 0x3a || event[from] === 0x09) from += 1;
  return from;
}

/** Cuts `,"usage":null` out of an event; one that says anything else, or begins with it, goes on as it came. */
function hideNullUsage(event: Buffer, at: number): Buffer {
  const valueStart = valueAfter(event, at);
  let comma = at - 1;
  while (event[comma] === 0x20) comma -= 1;
  const valueEnd = valueStart + 'null'.length;
  if (event[comma] !== COMMA || event.toString('latin1', valueStart, valueEnd) !== 'null') return event;
  const shown = Buffer.allocUnsafe(event.length - (valueEnd - comma));
  event.copy(shown, 0, 0, comma);
  event.copy(shown, comma, valueEnd);
  return shown;
}

/** A usage that states its own cost keeps it. */
function takesCost(usage: string): boolean {
  const names = Object.keys(asObject(parseLoosely(usage)) ?? {});
  return names.length > 0 && !names.includes('cost');
}

function withCost({ bytes, usageEnd, takesCost: takes }: Held, usd: string | null): Buffer {
  if (usd === null || !takes) return bytes;
  const brace = usageEnd - 1;
  return Buffer.concat([bytes.subarray(0, brace), Buffer.from(`,"cost":${usd}`), bytes.subarray(brace)]);
}
