import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { ArrayStream } from './array-stream.ts';
import { EventStream } from './event-stream.ts';

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/**
 * Follows a streamed answer in whichever framing it comes: server-sent events when the caller asked for `alt=sse`, else
 * one JSON array. Its first byte says which.
 */
export class GeminiStreamMeter implements StreamMeter {
  readonly #context: AnswerContext;
  #framing: StreamMeter | null = null;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#framing === null) {
      const first = chunk.find((byte) => byte > 0x20);
      if (first === undefined) return chunk;
      const json = first === OPEN_ARRAY || first === OPEN_OBJECT;
      this.#framing = json ? new ArrayStream(this.#context) : new EventStream(this.#context);
    }
    return this.#framing.push(chunk);
  }

  finished(): boolean {
    return this.#framing?.finished() ?? false;
  }

  facts(): AnswerFacts {
    return (this.#framing ?? new EventStream(this.#context)).facts();
  }

  closing(cost: ClosingCost): Buffer {
    return (this.#framing ?? new EventStream(this.#context)).closing(cost);
  }
}
