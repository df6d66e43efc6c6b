import { MessageStreamMeter } from '../anthropic/stream.ts';
import { asObject, asText, parseLoosely } from '../loose-json.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter, UsageObject } from '../wire.ts';
import { bedrockContext, isClaude, requestIdOf } from './answer.ts';
import { DAMAGED, FrameBuffer, writeFrame, type Frame } from './frames.ts';
import { readBedrockInvokeUsage } from './invoke-usage.ts';

/** What Bedrock adds to the last chunk of a stream, whichever model wrote it. */
const METRICS = 'amazon-bedrock-invocationMetrics';

/** The model's own event inside a frame; null for a frame without one. */
export function modelEvent(frame: Frame): { readonly event: UsageObject; readonly text: string } | null {
  if (frame.kind !== 'event' || frame.type !== 'chunk') return null;
  const encoded = asText(asObject(parseLoosely(frame.payload.toString('utf8')))?.['bytes']);
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const event = asObject(parseLoosely(text));
  return event === null ? null : { event, text };
}

/** As Anthropic would have sent it. */
export function toServerSentEvent({ event, text }: { readonly event: UsageObject; readonly text: string }): Buffer {
  return Buffer.from(`event: ${asText(event['type'])}\ndata: ${text}\n\n`);
}

/**
 * Follows the frames of `invoke-with-response-stream`. Claude's events carry Anthropic's usage; of every other model the
 * last chunk has the counts. That chunk waits until the cost is durable.
 */
export class InvokeStreamMeter implements StreamMeter {
  readonly #context: AnswerContext;
  readonly #frames = new FrameBuffer();
  readonly #claude: MessageStreamMeter | null;
  #last: Buffer | null = null;
  #metrics: UsageObject | null = null;
  #chars = 0;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#claude = isClaude(context.model ?? context.request.model) ? new MessageStreamMeter(context) : null;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#last !== null || this.#frames.damaged) return null;
    const passed: Buffer[] = [];
    for (const frame of this.#frames.push(chunk)) {
      if (this.#last !== null) break;
      this.#take(frame);
      if (this.#last === null) passed.push(frame.bytes);
    }
    if (this.#frames.damaged) {
      this.#failed = true;
      passed.push(writeFrame('exception', 'modelStreamErrorException', { message: DAMAGED }));
    }
    return passed.length === 0 ? null : Buffer.concat(passed);
  }

  finished(): boolean {
    return this.#last !== null;
  }

  facts(): AnswerFacts {
    const facts = this.#claude?.facts();
    const id = requestIdOf(this.#context);
    if (facts !== undefined && facts.usage !== null)
      return { ...facts, id: facts.id === '' ? id : facts.id, model: '', failed: facts.failed || this.#failed };
    const usage =
      this.#metrics === null ? null : readBedrockInvokeUsage(this.#metrics, bedrockContext(this.#context, ''));
    return {
      id,
      model: '',
      usage,
      usageComplete: usage !== null,
      outputText: '',
      outputCharsBeyond: usage === null ? this.#chars : 0,
      failed: this.#failed,
    };
  }

  closing(_cost: ClosingCost): Buffer {
    const rest = this.#frames.damaged ? null : this.#frames.rest;
    return this.#last ?? rest ?? Buffer.alloc(0);
  }

  #take(frame: Frame): void {
    if (frame.kind === 'exception') this.#failed = true;
    const inside = modelEvent(frame);
    if (inside === null) return;
    const { event, text } = inside;
    this.#chars += text.length;
    this.#claude?.push(toServerSentEvent(inside));
    const metrics = asObject(event[METRICS]);
    if (metrics === null && this.#claude?.finished() !== true) return;
    this.#metrics = metrics;
    this.#last = frame.bytes;
  }
}
