import { jsonValueEnd } from '#std';
import { LIMITS } from '#terms';
import { usageContext } from '../answer-context.ts';
import { asObject, parseLoosely } from '../loose-json.ts';
import { EventBuffer, eventName, readEventPayload } from '../events.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter, UsageContext, UsageObject } from '../wire.ts';
import { blockText } from './answer.ts';
import { mergeUsage, usageOfEvent } from './merged-usage.ts';
import { outputSoFar, readAnthropicUsage } from './usage.ts';

/** Kept for an estimate, should the stream break off before it tells its output tokens. */
const KEPT_CHARS = 256 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const SPACE = 0x20;
const COLON = 0x3a;
const LOWER_C = 0x63;
const LOWER_D = 0x64;

const DELTA_LINE = 'event: content_block_delta';

/** Where a `content_block_delta` keeps what the model wrote; a quote inside a text is escaped and never looks like these. */
const TEXT_KEYS = ['"text":', '"partial_json":', '"thinking":', '"content":'] as const;

/**
 * Follows Anthropic's server-sent events at event boundaries. Every event goes on as it came, and `message_stop` waits until
 * the cost is known and durable. Usage is exact for the input from the first event on, for the output at the end.
 */
export class MessageStreamMeter implements StreamMeter {
  readonly #events = new EventBuffer();
  readonly #context: UsageContext;
  /** JSON strings as they came, without their quotes. */
  readonly #texts: string[] = [];
  #stop: Buffer | null = null;
  #id = '';
  #model = '';
  #usage: UsageObject | null = null;
  #outputCounted = false;
  #failed = false;
  #keptChars = 0;
  #charsBeyond = 0;

  constructor(context: AnswerContext) {
    this.#context = usageContext(context, { serviceTier: '' });
  }

  push(chunk: Buffer): Buffer | null {
    const passed: Buffer[] = [];
    for (const event of this.#events.push(chunk)) {
      // After message_stop nothing of the provider's is wanted.
      if (this.#stop !== null) break;
      if (this.#take(event)) passed.push(event);
    }
    if (this.#events.restBytes > LIMITS.streamEventBytes) {
      const rest = this.#events.takeRest();
      if (rest !== null) {
        passed.push(rest);
        this.#charsBeyond += rest.length;
      }
    }
    if (passed.length === 0) return null;
    return passed.length === 1 ? (passed[0] ?? null) : Buffer.concat(passed);
  }

  finished(): boolean {
    return this.#stop !== null;
  }

  facts(): AnswerFacts {
    const usage = this.#usage === null ? null : readAnthropicUsage(this.#usage, this.#context);
    const complete = usage !== null && this.#outputCounted;
    return {
      id: this.#id,
      model: this.#model,
      usage: usage === null || complete ? usage : outputSoFar(usage),
      usageComplete: complete,
      outputText: complete ? '' : readStrings(this.#texts),
      outputCharsBeyond: complete ? 0 : this.#charsBeyond,
      failed: this.#failed,
    };
  }

  closing(cost: ClosingCost): Buffer {
    const { rest } = this.#events;
    const parts: Buffer[] = [];
    // A comment is only legal between events: an unfinished one at the end of a cut stream stays unfinished.
    if (rest === null || this.#stop !== null)
      parts.push(Buffer.from(`: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`));
    if (this.#stop !== null) parts.push(this.#stop);
    else if (rest !== null) parts.push(rest);
    return Buffer.concat(parts);
  }

  /** Whether the event goes on now. */
  #take(event: Buffer): boolean {
    switch (kindOf(event)) {
      case 'content_block_delta':
        this.#keep(event);
        return true;
      case 'content_block_start':
        this.#keepText(escaped(blockText(asObject(readEventPayload(event))?.['content_block'])));
        return true;
      case 'message_start':
        this.#start(readEventPayload(event));
        return true;
      case 'message_delta':
        this.#count(readEventPayload(event));
        return true;
      case 'message_stop':
        this.#stop = event;
        return false;
      case 'error':
        this.#failed = true;
        return true;
      default:
        return true;
    }
  }

  #start(payload: unknown): void {
    const message = asObject(asObject(payload)?.['message']);
    if (typeof message?.['id'] === 'string') this.#id = message['id'];
    if (typeof message?.['model'] === 'string') this.#model = message['model'];
    const usage = usageOfEvent(payload);
    if (usage !== null) this.#usage = mergeUsage(this.#usage, usage);
  }

  /** The totals so far; those that come with a reason to stop are the last. */
  #count(payload: unknown): void {
    const usage = usageOfEvent(payload);
    if (usage === null) return;
    this.#usage = mergeUsage(this.#usage, usage);
    const reason = asObject(asObject(payload)?.['delta'])?.['stop_reason'];
    if (typeof reason === 'string' && usage['output_tokens'] !== undefined) this.#outputCounted = true;
  }

  #keep(event: Buffer): void {
    for (const key of TEXT_KEYS) {
      const at = event.indexOf(key);
      if (at === -1) continue;
      let start = at + key.length;
      while (event[start] === SPACE) start += 1;
      const end = event[start] === QUOTE ? jsonValueEnd(event, start) : -1;
      if (end === -1) continue;
      this.#keepText(event.toString('latin1', start + 1, end - 1));
      return;
    }
  }

  #keepText(text: string): void {
    if (this.#keptChars + text.length > KEPT_CHARS) {
      this.#charsBeyond += text.length;
      return;
    }
    this.#keptChars += text.length;
    if (text !== '') this.#texts.push(text);
  }
}

/** The event's name; servers that leave the `event:` line out repeat it as the payload's `type`. */
function kindOf(event: Buffer): string {
  if (isBlockDelta(event)) return 'content_block_delta';
  const name = eventName(event);
  if (name !== '') return name;
  const type = asObject(readEventPayload(event))?.['type'];
  return typeof type === 'string' ? type : '';
}

/** Almost every event is one of these: three bytes and a length tell it from the other eight names. */
function isBlockDelta(event: Buffer): boolean {
  const end = event[DELTA_LINE.length];
  return event[7] === LOWER_C && event[21] === LOWER_D && event[5] === COLON && (end === LF || end === CR);
}

/** The inside of a JSON string, in the bytes of its UTF-8 as an event has them. */
function escaped(text: string): string {
  return text === '' ? '' : Buffer.from(JSON.stringify(text).slice(1, -1)).toString('latin1');
}

function readStrings(texts: readonly string[]): string {
  return texts
    .map((text) => {
      const value = parseLoosely(`"${Buffer.from(text, 'latin1').toString('utf8')}"`);
      return typeof value === 'string' ? value : text;
    })
    .join('');
}
