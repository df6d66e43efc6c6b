import type { Usage } from '#terms';
import type { AnswerContext, AnswerFacts } from '../wire.ts';
import {
  isRecord,
  memberText,
  outputTexts,
  parseQuietly,
  readObjectUsage,
  recordsIn,
  scanAnswerObject,
} from './answer.ts';
import { Grounding } from './grounding.ts';

/** Kept for an estimate, should the stream break off. */
const KEPT_CHUNK_BYTES = 256 * 1024;

/** Names a chunk without which it neither ends nor changes what is billed beside its tokens. */
const TELLING = ['"finishReason"', '"groundingMetadata"', '"promptFeedback"', '"error"'] as const;

const TOTAL = /"totalTokenCount"\s*:\s*([-+.\deE]+)/y;

/**
 * What the chunks of a streamed answer say together. Each one's usage is a running total, and the thoughts may be counted
 * late: the largest total is the whole, of equal ones the last, so that a repeated chunk changes nothing.
 */
export class RunningAnswer {
  readonly #context: AnswerContext;
  readonly #grounding = new Grounding();
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #bytesBeyond = 0;
  #first: Buffer | null = null;
  #withUsage: Buffer | null = null;
  #total = -1;
  #ended = false;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  /** Whether the model said that it is done, or refused to begin. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes one JSON object of the stream. */
  take(chunk: Buffer): void {
    this.#first ??= chunk;
    const text = chunk.toString('latin1');
    const usageAt = text.lastIndexOf('"usageMetadata"');
    if (usageAt !== -1) this.#takeUsage(chunk, totalAfter(text, usageAt));
    if (text.includes('"parts"')) this.#keep(chunk, text);
    if (TELLING.some((name) => text.includes(name))) this.#read(parseQuietly(chunk.toString('utf8')));
  }

  /** What could not be read as it was too large, and was passed on. */
  skip(bytes: number): void {
    this.#bytesBeyond += bytes;
  }

  facts(): AnswerFacts {
    const first = this.#first === null ? null : scanAnswerObject(this.#first);
    const last = this.#withUsage === null ? null : scanAnswerObject(this.#withUsage);
    const read = (name: string): string =>
      (last === null ? '' : memberText(last, name)) || (first === null ? '' : memberText(first, name));
    const model = read('modelVersion');
    const usage: Usage | null =
      last === null ? null : readObjectUsage(last, { context: this.#context, model, grounding: this.#grounding });
    const usageComplete = usage !== null && this.#ended;
    return {
      id: read('responseId'),
      model,
      usage,
      usageComplete,
      outputText: usageComplete ? '' : this.#outputText(),
      outputCharsBeyond: usageComplete ? 0 : this.#bytesBeyond,
      failed: this.#failed,
    };
  }

  #takeUsage(chunk: Buffer, total: number | null): void {
    if (total !== null && total < this.#total) return;
    this.#withUsage = chunk;
    this.#total = total ?? this.#total;
  }

  #keep(chunk: Buffer, text: string): void {
    if (this.#keptBytes + chunk.length <= KEPT_CHUNK_BYTES) {
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
    } else if (!text.includes('"inlineData"')) {
      // Pictures and sound are no text; their tokens do not follow from their bytes.
      this.#bytesBeyond += outputTexts(candidatesOf(parseQuietly(chunk.toString('utf8')))).join('').length;
    }
  }

  #read(payload: unknown): void {
    if (!isRecord(payload)) return;
    if (isRecord(payload['error'])) this.#failed = true;
    const feedback = payload['promptFeedback'];
    if (isRecord(feedback) && typeof feedback['blockReason'] === 'string') this.#ended = true;
    for (const candidate of recordsIn(payload['candidates'])) {
      const reason = candidate['finishReason'];
      if (typeof reason === 'string' && reason !== 'FINISH_REASON_UNSPECIFIED') this.#ended = true;
      this.#grounding.add(candidate['groundingMetadata']);
    }
  }

  #outputText(): string {
    return this.#kept.flatMap((chunk) => outputTexts(candidatesOf(parseQuietly(chunk.toString('utf8'))))).join('');
  }
}

function candidatesOf(payload: unknown): unknown {
  return isRecord(payload) ? payload['candidates'] : undefined;
}

/** The running total the usage at `from` states; null when it states none that is a number. */
function totalAfter(text: string, from: number): number | null {
  const at = text.indexOf('"totalTokenCount"', from);
  if (at === -1) return null;
  TOTAL.lastIndex = at;
  const total = Number(TOTAL.exec(text)?.[1] ?? Number.NaN);
  return Number.isNaN(total) ? null : total;
}
