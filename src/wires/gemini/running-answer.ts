import type { Usage } from '#terms';
import { asObject, asObjects, asText, parseLoosely } from '../loose-json.ts';
import type { AnswerContext, AnswerFacts, UsageObject } from '../wire.ts';
import { joinTexts, outputTexts, readObjectUsage, scanAnswerObject, textOf, type ModelText } from './answer.ts';
import { Grounding } from './grounding.ts';

/** Kept for an estimate, should the stream break off. */
const KEPT_PARTS_BYTES = 256 * 1024;

/** What stands around the text of a part: `"parts":[{"text":""}],"role":"model"},"index":0}],`. */
const PART_FRAME_BYTES = 56;

/** Without one of these a chunk neither ends nor changes what is billed beside its tokens. One search: it runs for each. */
const TELLING = /"(?:finishReason|groundingMetadata|promptFeedback|error)"/;

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
  #total = 0;
  #ended = false;
  #failed = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  /** Whether the model said that it is done, or refused to begin. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes one JSON object of the stream, with or without the name of its event's line before it. */
  take(chunk: Buffer): void {
    if (this.#first === null && chunk.includes(OPEN_OBJECT)) this.#first = chunk;
    const text = chunk.toString('latin1');
    const usageAt = lastIndexOf(text, '"usageMetadata"');
    if (usageAt !== -1) this.#takeUsage(chunk, totalAfter(text, usageAt));
    const partsAt = text.indexOf('"parts"');
    if (partsAt !== -1) this.#keep(chunk, text, (usageAt > partsAt ? usageAt : text.length) - partsAt);
    if (TELLING.test(text)) this.#read(parseObject(chunk));
  }

  /** What could not be read as it was too large, and was passed on. */
  skip(bytes: number): void {
    this.#bytesBeyond += bytes;
  }

  facts(): AnswerFacts {
    const first = this.#first === null ? null : scanAnswerObject(objectIn(this.#first));
    const last = this.#withUsage === null ? null : scanAnswerObject(objectIn(this.#withUsage));
    const read = (name: string): string =>
      (last === null ? '' : textOf(last, name)) || (first === null ? '' : textOf(first, name));
    const model = read('modelVersion');
    const usage: Usage | null =
      last === null ? null : readObjectUsage(last, { context: this.#context, model, grounding: this.#grounding });
    const usageComplete = usage !== null && this.#ended;
    return {
      id: read('responseId'),
      model,
      usage,
      usageComplete,
      outputText: usageComplete ? '' : this.#outputText(usage === null ? 'with thoughts' : 'without thoughts'),
      outputCharsBeyond: usageComplete ? 0 : this.#bytesBeyond,
      failed: this.#failed,
    };
  }

  #takeUsage(chunk: Buffer, total: number): void {
    if (total < this.#total) return;
    this.#withUsage = chunk;
    this.#total = total;
  }

  #keep(chunk: Buffer, text: string, partsBytes: number): void {
    if (this.#keptBytes + partsBytes <= KEPT_PARTS_BYTES) {
      this.#kept.push(chunk);
      this.#keptBytes += partsBytes;
    } else if (!text.includes('"inlineData"')) {
      // Pictures and sound are no text; their tokens do not follow from their bytes.
      this.#bytesBeyond += Math.max(0, partsBytes - PART_FRAME_BYTES);
    }
  }

  #read(payload: UsageObject | null): void {
    if (payload === null) return;
    if (asObject(payload['error']) !== null) this.#failed = true;
    if (asText(asObject(payload['promptFeedback'])?.['blockReason']) !== '') this.#ended = true;
    for (const candidate of asObjects(payload['candidates'])) {
      const reason = asText(candidate['finishReason']);
      if (reason !== '' && reason !== 'FINISH_REASON_UNSPECIFIED') this.#ended = true;
      this.#grounding.add(candidate['groundingMetadata']);
    }
  }

  /** Thoughts have a count of their own in a running total, and are not text on top of it. */
  #outputText(thoughts: 'with thoughts' | 'without thoughts'): string {
    const texts = this.#kept.flatMap(textsIn);
    return joinTexts(thoughts === 'with thoughts' ? texts : texts.filter(({ thought }) => !thought));
  }
}

function textsIn(chunk: Buffer): ModelText[] {
  return outputTexts(parseObject(chunk)?.['candidates']);
}

function parseObject(chunk: Buffer): UsageObject | null {
  return asObject(parseLoosely(objectIn(chunk).toString('utf8')));
}

const OPEN_OBJECT = 0x7b;

function objectIn(chunk: Buffer): Buffer {
  return chunk.subarray(Math.max(0, chunk.indexOf(OPEN_OBJECT)));
}

const TOTAL = '"totalTokenCount"';
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SPACE = 0x20;

/** The running total of the usage at `from`: 0 when it has counts and no total, -1 when it says nothing. */
function totalAfter(text: string, from: number): number {
  const at = text.indexOf(TOTAL, from);
  if (at === -1) return text.includes('TokenCount"', from) ? 0 : -1;
  let total = 0;
  for (let index = at + TOTAL.length; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= ZERO && code <= NINE) total = total * 10 + (code - ZERO);
    else if (code !== COLON && code > SPACE) break;
  }
  return total;
}

/** `String.lastIndexOf` compares at every place; the search from the front skips most of them. */
function lastIndexOf(text: string, sought: string): number {
  let last = -1;
  for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + 1)) last = at;
  return last;
}
