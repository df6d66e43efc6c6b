import { jsonValueEnd } from '#std';
import { LIMITS, type Usage } from '#terms';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { deltaTexts, parseQuietly } from './answer.ts';
import { parseOpenAiUsage } from './usage.ts';

/** Kept for an estimate, should the provider send no usage. */
const KEPT_DELTA_CHARS = 256 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const OPEN_OBJECT = 0x7b;
const USAGE_KEY = '"usage"';
/** What a model wrote stands in `delta` in a chat, in `text` in a completion. */
const DELTA_KEYS = ['"delta":', '"text":'] as const;
const COMMA = 0x2c;

type Held = { readonly bytes: Buffer; readonly usageEnd: number };

/**
 * Follows OpenAI server-sent events at event boundaries. Events go on as they came, but for three edits: `usage: null`
 * and the extra usage chunk (both there because we asked) are hidden from a caller who did not ask, and the usage event
 * and `[DONE]` are held until the cost is known and durable.
 */
export class ChatStreamMeter implements StreamMeter {
  readonly #wantsUsage: boolean;
  readonly #deltas: string[] = [];
  #rest: Buffer | null = null;
  #done: Buffer | null = null;
  #held: Held | null = null;
  #headRead = false;
  #id = '';
  #model = '';
  #serviceTier = '';
  #usage: Usage | null = null;
  #failed = false;
  #keptChars = 0;
  #charsBeyond = 0;

  constructor({ request }: AnswerContext) {
    this.#wantsUsage = request.wantsUsage;
  }

  push(chunk: Buffer): Buffer | null {
    const data = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    let from = 0;
    for (let end = eventEnd(data, from); end !== -1; end = eventEnd(data, from)) {
      // After [DONE] nothing of the provider's is wanted.
      const shown = this.#done === null ? this.#take(data.subarray(from, end)) : null;
      if (shown !== null) out.push(shown);
      from = end;
    }
    this.#rest = from === data.length ? null : data.subarray(from);
    if (this.#rest !== null && this.#rest.length > LIMITS.streamEventBytes) {
      out.push(this.#rest);
      this.#charsBeyond += this.#rest.length;
      this.#rest = null;
    }
    if (out.length === 0) return null;
    return out.length === 1 ? (out[0] ?? null) : Buffer.concat(out);
  }

  finished(): boolean {
    return this.#done !== null;
  }

  facts(): AnswerFacts {
    const unknown = this.#usage === null;
    return {
      id: this.#id,
      model: this.#model,
      usage: this.#usage,
      usageComplete: !unknown,
      outputText: unknown ? keptText(this.#deltas) : '',
      outputCharsBeyond: unknown ? this.#charsBeyond : 0,
      failed: this.#failed,
    };
  }

  closing(cost: ClosingCost): Buffer {
    const parts: Buffer[] = [];
    if (this.#held !== null) parts.push(withCost(this.#held, cost.usd));
    // A comment is only legal between events: an unfinished one at the end of a cut stream stays unfinished.
    if (this.#rest === null) parts.push(Buffer.from(`: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`));
    if (this.#done !== null) parts.push(this.#done);
    else if (this.#rest !== null) parts.push(this.#rest);
    return Buffer.concat(parts);
  }

  /** Gives what of the event goes on now. */
  #take(event: Buffer): Buffer | null {
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
    if (!this.#headRead || event.includes('"error"')) this.#readHead(readPayload(event));
    const at = event.indexOf(USAGE_KEY);
    if (at === -1) {
      this.#keepDelta(event);
      return event;
    }
    const valueStart = skipToValue(event, at + USAGE_KEY.length);
    if (event[valueStart] === OPEN_OBJECT) return this.#takeUsage(event, valueStart);
    this.#keepDelta(event);
    return this.#wantsUsage ? event : hideNullUsage(event, { at, valueStart });
  }

  #takeUsage(event: Buffer, valueStart: number): Buffer | null {
    const payload = readPayload(event);
    this.#readHead(payload);
    this.#keepDelta(event);
    const valueEnd = jsonValueEnd(event, valueStart);
    if (valueEnd !== -1) {
      const text = event.toString('utf8', valueStart, valueEnd);
      const tier = this.#serviceTier === '' ? {} : { serviceTier: this.#serviceTier };
      // Servers that count as they go send running totals: the last one is the whole.
      this.#usage = parseOpenAiUsage(text, tier) ?? this.#usage;
    }
    if (this.#wantsUsage) {
      this.#held = { bytes: event, usageEnd: valueEnd };
      return null;
    }
    const onlyUsage = isRecord(payload) && Array.isArray(payload['choices']) && payload['choices'].length === 0;
    return onlyUsage ? null : event;
  }

  #readHead(payload: unknown): void {
    if (!isRecord(payload)) return;
    this.#headRead = true;
    if (typeof payload['id'] === 'string' && payload['id'] !== '') this.#id = payload['id'];
    if (typeof payload['model'] === 'string' && payload['model'] !== '') this.#model = payload['model'];
    if (typeof payload['service_tier'] === 'string') this.#serviceTier = payload['service_tier'];
    if (isRecord(payload['error'])) this.#failed = true;
  }

  #keepDelta(event: Buffer): void {
    const key = DELTA_KEYS.find((candidate) => event.includes(candidate));
    if (key === undefined) return;
    const start = event.indexOf(key) + key.length;
    const length = event.length - start;
    if (this.#keptChars + length > KEPT_DELTA_CHARS) {
      this.#charsBeyond += length;
      return;
    }
    this.#keptChars += length;
    this.#deltas.push(event.toString('latin1', start, event.length));
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

function isDone(event: Buffer): boolean {
  const start = event.length < 40 ? event.toString('latin1').trimStart() : '';
  return start.startsWith('data: [DONE]') || start.startsWith('data:[DONE]');
}

function readPayload(event: Buffer): unknown {
  const text = event.toString('utf8').trimStart();
  if (!text.startsWith('data:')) return undefined;
  return parseQuietly(text.slice('data:'.length));
}

function skipToValue(event: Buffer, from: number): number {
  let at = from;
  while (event[at] === 0x20 || event[at] === 0x3a || event[at] === 0x09) at += 1;
  return at;
}

/** Cuts `,"usage":null` out of an event; one that says anything else, or begins with it, goes on as it came. */
function hideNullUsage(event: Buffer, span: { at: number; valueStart: number }): Buffer {
  let comma = span.at - 1;
  while (event[comma] === 0x20) comma -= 1;
  const valueEnd = span.valueStart + 'null'.length;
  if (event[comma] !== COMMA || event.toString('latin1', span.valueStart, valueEnd) !== 'null') return event;
  return Buffer.concat([event.subarray(0, comma), event.subarray(valueEnd)]);
}

function withCost(held: Held, usd: string | null): Buffer {
  if (usd === null || held.usageEnd === -1) return held.bytes;
  const brace = held.usageEnd - 1;
  return Buffer.concat([held.bytes.subarray(0, brace), Buffer.from(`,"cost":${usd}`), held.bytes.subarray(brace)]);
}

function keptText(deltas: readonly string[]): string {
  const texts: string[] = [];
  for (const kept of deltas) {
    const bytes = Buffer.from(kept, 'latin1');
    const end = jsonValueEnd(bytes, 0);
    if (end !== -1) texts.push(...deltaTexts(parseQuietly(bytes.toString('utf8', 0, end))));
  }
  return texts.join('');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
