import type { AnswerEvent, AnswerPart } from '../answer.ts';
import type { Closing, StreamAround, StreamWriter } from '../side.ts';
import { writeUsage } from './usage.ts';
import { FINISHES, writeError, writeLogprobs, writePart } from './write-answer.ts';

export function writeStream({ context }: StreamAround): StreamWriter {
  return new CandidateWriter(context.request.model);
}

type Finish = Extract<AnswerEvent, { readonly kind: 'finish' }>;

/** A call that is being written: Google shows it whole. */
type Call = { readonly choice: number; part: Extract<AnswerPart, { readonly kind: 'tool_call' }> };

/** Chunks of candidates. The one with the reasons to finish and the usage is the end. */
class CandidateWriter implements StreamWriter {
  /** What follows the candidates of a chunk. */
  #tail: string;
  readonly #calls = new Map<string, Call>();
  readonly #finishes: Finish[] = [];

  constructor(model: string) {
    this.#tail = tailOf('', model);
  }

  write(events: readonly AnswerEvent[]): string {
    let said = '';
    for (const event of events) said += this.#say(event);
    return said;
  }

  end({ usage, cost }: Closing): string {
    const comment = `: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`;
    if (this.#finishes.length === 0) return comment;
    const candidates = this.#finishes.map(({ choice, reason }) =>
      JSON.stringify({ content: { role: 'model', parts: [] }, finishReason: FINISHES[reason], index: choice }),
    );
    const told = usage === null ? '' : `,"usageMetadata":${JSON.stringify(writeUsage(usage))}`;
    return `${comment}data: {"candidates":[${candidates.join(',')}]${told}${this.#tail}`;
  }

  #say(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        this.#tail = tailOf(event.id, event.model);
        return '';
      case 'text':
        if (event.logprobs.length > 0)
          return this.#candidate(event.choice, {
            part: { text: event.text },
            more: { logprobsResult: writeLogprobs(event.logprobs) },
          });
        return this.#text(event.choice, event.text);
      case 'refusal':
        return this.#text(event.choice, event.text);
      case 'reasoning':
        return this.#part(event.choice, { kind: 'reasoning', text: event.text, signature: null });
      case 'signature':
        return this.#part(event.choice, { kind: 'reasoning', text: '', signature: event.signature });
      case 'opaque':
      case 'media':
        return this.#part(event.choice, event);
      case 'tool_call':
        this.#calls.set(`${event.choice} ${event.call}`, { choice: event.choice, part: { ...event, args: '' } });
        return '';
      case 'args': {
        const call = this.#calls.get(`${event.choice} ${event.call}`);
        if (call !== undefined) call.part = { ...call.part, args: call.part.args + event.json };
        return '';
      }
      case 'finish':
        this.#finishes.push(event);
        return this.#whole(event.choice);
      case 'error':
        return `data: ${JSON.stringify(writeError(event.error))}\n\n`;
    }
  }

  /** The calls of a choice that is over. */
  #whole(choice: number): string {
    let said = '';
    for (const [key, call] of this.#calls) {
      if (call.choice !== choice) continue;
      this.#calls.delete(key);
      said += this.#part(choice, call.part);
    }
    return said;
  }

  #text(choice: number, text: string): string {
    const content = `{"parts":[{"text":${JSON.stringify(text)}}],"role":"model"}`;
    return `data: {"candidates":[{"content":${content},"index":${choice}}]${this.#tail}`;
  }

  #part(choice: number, part: AnswerPart): string {
    return this.#candidate(choice, { part: writePart(part), more: {} });
  }

  #candidate(index: number, { part, more }: { readonly part: object; readonly more: object }): string {
    const candidate = { content: { parts: [part], role: 'model' }, ...more, index };
    return `data: {"candidates":[${JSON.stringify(candidate)}]${this.#tail}`;
  }
}

function tailOf(responseId: string, modelVersion: string): string {
  return `,${JSON.stringify({ modelVersion, responseId }).slice(1)}\n\n`;
}
