import type { AnswerEvent } from '../answer.ts';
import type { Closing, StreamAround, StreamWriter } from '../side.ts';
import { writeUsage } from './usage.ts';
import {
  createdAt,
  FINISHES,
  opaqueBlock,
  thinkingBlock,
  writeCall,
  writeError,
  writeImage,
  writeLogprob,
} from './write-answer.ts';

export function writeStream(around: StreamAround): StreamWriter {
  return new ChunkWriter(around);
}

/** Chat completion chunks. The chunk with the usage and `[DONE]` are the end. */
class ChunkWriter implements StreamWriter {
  readonly #wantsUsage: boolean;
  readonly #created: number;
  /** Everything of a chunk before its choices. */
  #head = '';
  #finished = false;
  readonly #begun = new Set<number>();
  #thought = '';
  #images = 0;

  constructor({ context }: StreamAround) {
    this.#wantsUsage = context.request.wantsUsage;
    this.#created = createdAt(context);
    this.#begin('', context.request.model);
  }

  write(events: readonly AnswerEvent[]): string {
    let said = '';
    for (const event of events) said += this.#say(event);
    return said;
  }

  end({ usage, cost }: Closing): string {
    const comment = `: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`;
    if (!this.#finished) return comment;
    if (!this.#wantsUsage || usage === null) return `${comment}data: [DONE]\n\n`;
    const told = JSON.stringify(writeUsage(usage));
    const withCost = cost.usd === null ? told : `${told.slice(0, -1)},"cost":${cost.usd}}`;
    return `${this.#head}],"usage":${withCost}}\n\n${comment}data: [DONE]\n\n`;
  }

  #begin(id: string, model: string): void {
    const head = JSON.stringify({ id, object: 'chat.completion.chunk', created: this.#created, model });
    this.#head = `data: ${head.slice(0, -1)},"choices":[`;
  }

  #say(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        this.#begin(event.id, event.model);
        return this.#chunk(0, { delta: ROLE });
      case 'text':
        return this.#text(event);
      case 'args':
        return this.#delta(
          event.choice,
          `{"tool_calls":[{"index":${event.call},"function":{"arguments":${JSON.stringify(event.json)}}}]}`,
        );
      case 'reasoning':
        this.#thought += event.text;
        return this.#delta(event.choice, `{"reasoning_content":${JSON.stringify(event.text)}}`);
      case 'finish':
        this.#finished = true;
        return this.#chunk(event.choice, { delta: '{}', finish: JSON.stringify(FINISHES[event.reason]) });
      case 'error':
        return `data: ${JSON.stringify(writeError(event.error))}\n\n`;
      default:
        return this.#delta(event.choice, JSON.stringify(this.#seldom(event)));
    }
  }

  #text({ choice, text, logprobs }: Extract<AnswerEvent, { readonly kind: 'text' }>): string {
    const delta = `{"content":${JSON.stringify(text)}}`;
    if (logprobs.length === 0) return this.#delta(choice, delta);
    return this.#chunk(choice, {
      delta,
      logprobs: JSON.stringify({ content: logprobs.map(writeLogprob), refusal: null }),
    });
  }

  #seldom(event: Extract<AnswerEvent, { readonly kind: Seldom }>): object {
    switch (event.kind) {
      case 'refusal':
        return { refusal: event.text };
      case 'signature': {
        const block = thinkingBlock(this.#thought, event.signature);
        this.#thought = '';
        return { thinking_blocks: [block] };
      }
      case 'opaque':
        return { thinking_blocks: [opaqueBlock(event.data)] };
      case 'tool_call':
        return {
          tool_calls: [{ index: event.call, ...writeCall(event), function: { name: event.name, arguments: '' } }],
        };
      case 'media':
        this.#images += 1;
        return { images: [writeImage(event, this.#images - 1)] };
    }
  }

  #delta(choice: number, delta: string): string {
    return this.#chunk(choice, { delta });
  }

  #chunk(choice: number, chunk: Chunk): string {
    // Each choice begins with whose it is; the first one's is said at the start.
    if (this.#begun.has(choice)) return this.#write(choice, chunk);
    this.#begun.add(choice);
    return chunk.delta === ROLE
      ? this.#write(choice, chunk)
      : this.#write(choice, { delta: ROLE }) + this.#write(choice, chunk);
  }

  #write(choice: number, { delta, logprobs = 'null', finish = 'null' }: Chunk): string {
    const told = `{"index":${choice},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}`;
    return `${this.#head}${told}]}\n\n`;
  }
}

const ROLE = '{"role":"assistant","content":"","refusal":null}';

type Seldom = 'refusal' | 'signature' | 'opaque' | 'tool_call' | 'media';

/** JSON texts. */
type Chunk = { readonly delta: string; readonly logprobs?: string; readonly finish?: string };
