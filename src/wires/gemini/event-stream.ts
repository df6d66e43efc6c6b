import { LIMITS } from '#terms';
import { EventBuffer } from '../events.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { RunningAnswer } from './running-answer.ts';

/**
 * Follows Gemini's server-sent events. Nothing in them says that the stream is over but its end, so from the first chunk
 * with a finish reason on the newest one is held: the caller has the whole answer only once the ledger has it.
 */
export class EventStream implements StreamMeter {
  readonly #events = new EventBuffer();
  readonly #answer: RunningAnswer;
  #held: Buffer | null = null;
  /** Within an event too large to hold: what has come of it is with the caller. */
  #midEvent = false;
  #restTaken = false;

  constructor(context: AnswerContext) {
    this.#answer = new RunningAnswer(context);
  }

  push(chunk: Buffer): Buffer | null {
    const out: Buffer[] = [];
    for (const event of this.#events.push(chunk)) {
      if (this.#held !== null) out.push(this.#held);
      this.#held = null;
      this.#take(event);
      if (this.#answer.ended) this.#held = event;
      else out.push(event);
    }
    if (this.#events.restBytes > LIMITS.streamEventBytes) out.push(...this.#giveUpRest());
    if (out.length === 0) return null;
    return out.length === 1 ? (out[0] ?? null) : Buffer.concat(out);
  }

  finished(): boolean {
    return false;
  }

  facts(): AnswerFacts {
    // A stream may end without the blank line behind its last event, which has the whole usage.
    const rest = this.#events.rest;
    if (rest !== null && !this.#midEvent && !this.#restTaken) {
      this.#restTaken = true;
      this.#take(rest);
    }
    return this.#answer.facts();
  }

  closing(cost: ClosingCost): Buffer {
    const parts: Buffer[] = [];
    // A comment is only legal between events.
    if (!this.#midEvent) parts.push(Buffer.from(`: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`));
    if (this.#held !== null) parts.push(this.#held);
    if (this.#events.rest !== null) parts.push(this.#events.rest);
    return Buffer.concat(parts);
  }

  /** What comes of an event that is too large goes on unread, and what was held before it. */
  #giveUpRest(): Buffer[] {
    this.#answer.skip(this.#events.restBytes);
    this.#midEvent = true;
    const given = [this.#held, this.#events.takeRest()].filter((bytes) => bytes !== null);
    this.#held = null;
    return given;
  }

  #take(event: Buffer): void {
    if (this.#midEvent) {
      this.#midEvent = false;
      return;
    }
    this.#answer.take(event);
  }
}
