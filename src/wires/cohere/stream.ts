import { LIMITS, type Usage } from '#terms';
import { EventBuffer, eventName, readEventPayload } from '../events.ts';
import { asObject, asText } from '../loose-json.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { messageText, readUsage } from './answer.ts';

/** Kept for an estimate, should the stream break off before its usage. */
const KEPT_BYTES = 256 * 1024;

/** Follows Cohere's server-sent events. `message-end`, which has the usage, waits until the cost is durable. */
export class CohereStreamMeter implements StreamMeter {
  readonly #context: AnswerContext;
  readonly #events = new EventBuffer();
  readonly #written: Buffer[] = [];
  #keptBytes = 0;
  #bytesBeyond = 0;
  #end: Buffer | null = null;
  #id = '';
  #usage: Usage | null = null;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push(chunk: Buffer): Buffer | null {
    const passed: Buffer[] = [];
    for (const event of this.#events.push(chunk)) {
      // Some servers close with OpenAI's [DONE]: behind the end nothing is wanted.
      if (this.#end !== null) break;
      this.#take(event);
      if (this.#end === null) passed.push(event);
    }
    if (this.#events.restBytes > LIMITS.streamEventBytes) {
      const rest = this.#events.takeRest();
      if (rest !== null) passed.push(rest);
      this.#bytesBeyond += rest?.length ?? 0;
    }
    return passed.length === 0 ? null : Buffer.concat(passed);
  }

  finished(): boolean {
    return this.#end !== null;
  }

  facts(): AnswerFacts {
    const complete = this.#usage !== null;
    return {
      id: this.#id,
      model: '',
      usage: this.#usage,
      usageComplete: complete,
      outputText: complete ? '' : this.#written.map(deltaText).join(''),
      outputCharsBeyond: complete ? 0 : this.#bytesBeyond,
      failed: this.#failed,
    };
  }

  closing(cost: ClosingCost): Buffer {
    const { rest } = this.#events;
    // A comment is only legal between events.
    if (this.#end === null && rest !== null) return rest;
    const comment = Buffer.from(`: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`);
    return this.#end === null ? comment : Buffer.concat([comment, this.#end]);
  }

  #take(event: Buffer): void {
    switch (kindOf(event)) {
      case 'message-start':
        this.#id = asText(asObject(readEventPayload(event))?.['id']);
        return;
      case 'message-end':
        this.#finish(event);
        return;
      case 'content-delta':
      case 'tool-plan-delta':
      case 'tool-call-start':
      case 'tool-call-delta':
        this.#keep(event);
        return;
      case 'error':
        this.#failed = true;
        return;
      default:
    }
  }

  #finish(event: Buffer): void {
    const delta = asObject(asObject(readEventPayload(event))?.['delta']);
    this.#end = event;
    this.#usage = readUsage(delta?.['usage'], this.#context);
    // A model that failed says so at the end (API reference, `finish_reason`).
    this.#failed ||= asText(delta?.['finish_reason']) === 'ERROR';
  }

  #keep(event: Buffer): void {
    if (this.#keptBytes + event.length > KEPT_BYTES) {
      this.#bytesBeyond += event.length;
      return;
    }
    this.#keptBytes += event.length;
    this.#written.push(event);
  }
}

function kindOf(event: Buffer): string {
  return eventName(event) || asText(asObject(readEventPayload(event))?.['type']);
}

function deltaText(event: Buffer): string {
  const delta = asObject(asObject(readEventPayload(event))?.['delta']);
  return messageText(asObject(delta?.['message']) ?? {});
}
