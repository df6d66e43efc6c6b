import type { Usage } from '#terms';
import { asObject, parseLoosely } from '../loose-json.ts';
import type { AnswerContext, AnswerFacts, ClosingCost, StreamMeter } from '../wire.ts';
import { bedrockContext, blockText, requestIdOf, tierOf } from './answer.ts';
import { readBedrockConverseUsage } from './converse-usage.ts';
import { DAMAGED, FrameBuffer, writeFrame, type Frame } from './frames.ts';

/** Kept for an estimate, should the stream break off before its usage. */
const KEPT_BYTES = 256 * 1024;

/**
 * Follows the frames of `converse-stream`. Each goes on as it came; `metadata`, the last one, which has the usage, waits until
 * the cost is durable.
 */
export class ConverseStreamMeter implements StreamMeter {
  readonly #context: AnswerContext;
  readonly #frames = new FrameBuffer();
  readonly #written: Buffer[] = [];
  #keptBytes = 0;
  #bytesBeyond = 0;
  #last: Buffer | null = null;
  #usage: Usage | null = null;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
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
    const complete = this.#usage !== null;
    return {
      id: requestIdOf(this.#context),
      model: '',
      usage: this.#usage,
      usageComplete: complete,
      outputText: complete ? '' : this.#written.map(deltaText).join(''),
      outputCharsBeyond: complete ? 0 : this.#bytesBeyond,
      failed: this.#failed,
    };
  }

  /** Frames have no place for a comment: what the call cost is in the ledger. */
  closing(_cost: ClosingCost): Buffer {
    const rest = this.#frames.damaged ? null : this.#frames.rest;
    return this.#last ?? rest ?? Buffer.alloc(0);
  }

  #take(frame: Frame): void {
    if (frame.kind === 'exception') {
      this.#failed = true;
    } else if (frame.type === 'metadata') {
      this.#last = frame.bytes;
      const metadata = asObject(parseLoosely(frame.payload.toString('utf8'))) ?? {};
      this.#usage = readBedrockConverseUsage(metadata['usage'], bedrockContext(this.#context, tierOf(metadata)));
    } else if (frame.type === 'contentBlockDelta' || frame.type === 'contentBlockStart') {
      this.#keep(frame.payload);
    }
  }

  #keep(payload: Buffer): void {
    if (this.#keptBytes + payload.length > KEPT_BYTES) {
      this.#bytesBeyond += payload.length;
      return;
    }
    this.#keptBytes += payload.length;
    this.#written.push(payload);
  }
}

function deltaText(payload: Buffer): string {
  const event = asObject(parseLoosely(payload.toString('utf8')));
  return blockText(asObject(event?.['delta']) ?? asObject(event?.['start']) ?? {});
}
