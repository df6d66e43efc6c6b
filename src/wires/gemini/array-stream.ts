import { jsonValueEnd } from '#std';
import { LIMITS } from '#terms';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { RunningAnswer } from './running-answer.ts';

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const COMMA = 0x2c;
const SPACE = 0x20;

const NOTHING = Buffer.alloc(0);

/**
 * Follows a Gemini stream that is one JSON array, `[{…},{…}]`. Every byte goes on as it comes but the bracket that closes
 * the array, without which no parser takes the answer for complete.
 */
export class ArrayStream implements StreamMeter {
  readonly #answer: RunningAnswer;
  /** An object whose end has not come; its bytes are with the caller already. */
  #rest: Buffer = NOTHING;
  #end: Buffer | null = null;
  #readable = true;

  constructor(context: AnswerContext) {
    this.#answer = new RunningAnswer(context);
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#end !== null) {
      this.#end = Buffer.concat([this.#end, chunk]);
      return null;
    }
    if (!this.#readable) {
      this.#answer.skip(chunk.length);
      return chunk;
    }
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const endAt = this.#takeObjects(data);
    if (endAt === -1) return chunk;
    this.#end = data.subarray(endAt);
    const shown = chunk.subarray(0, chunk.length - this.#end.length);
    return shown.length === 0 ? null : shown;
  }

  finished(): boolean {
    return this.#end !== null;
  }

  facts(): AnswerFacts {
    return this.#answer.facts();
  }

  /** JSON has no comments: the cost is in the ledger. */
  closing(_cost: ClosingCost): Buffer {
    return this.#end ?? NOTHING;
  }

  /** Takes the whole objects of `data`; gives where the array's closing bracket is, -1 while it has not come. */
  #takeObjects(data: Buffer): number {
    this.#rest = NOTHING;
    for (let at = 0; at < data.length;) {
      const byte = data[at] ?? SPACE;
      if (byte === OPEN_OBJECT) {
        const end = jsonValueEnd(data, at);
        if (end === -1) {
          this.#keepRest(data.subarray(at));
          return -1;
        }
        this.#answer.take(data.subarray(at, end));
        at = end;
      } else if (byte === CLOSE_ARRAY) {
        return at;
      } else if (byte <= SPACE || byte === COMMA || byte === OPEN_ARRAY) {
        at += 1;
      } else {
        this.#giveUp(data.length - at);
        return -1;
      }
    }
    return -1;
  }

  #keepRest(rest: Buffer): void {
    if (rest.length > LIMITS.streamEventBytes) this.#giveUp(rest.length);
    else this.#rest = rest;
  }

  #giveUp(bytes: number): void {
    this.#readable = false;
    this.#answer.skip(bytes);
  }
}
