import type { AnswerEvent, FinishReason } from '../answer.ts';
import type { Closing, StreamAround, StreamWriter } from '../side.ts';
import { showSignature } from '../signature.ts';
import { NOTHING, writeUsage } from './usage.ts';
import { stopOf, unseen, writeError } from './write-answer.ts';

export function writeStream(_around: StreamAround): StreamWriter {
  return new MessageWriter();
}

type Open = 'text' | 'thinking' | 'tool_use' | 'none';

/** Message events. What tells the usage and the reason to stop is the end, and waits for it. */
class MessageWriter implements StreamWriter {
  #index = -1;
  #open: Open = 'none';
  /** The call whose arguments the open block takes. */
  #call = -1;
  #finish: { readonly reason: FinishReason; readonly stop: string | null } | null = null;

  write(events: readonly AnswerEvent[]): string {
    let said = '';
    for (const event of events) said += this.#say(event);
    return said;
  }

  end({ usage, cost }: Closing): string {
    const comment = `: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`;
    if (this.#finish === null) return comment;
    const { reason, stop } = this.#finish;
    const delta = eventOf('message_delta', { delta: stopOf(reason, stop), usage: writeUsage(usage) });
    return `${this.#close()}${delta}${comment}${eventOf('message_stop', {})}`;
  }

  #say(said: AnswerEvent): string {
    switch (said.kind) {
      case 'start':
        return eventOf('message_start', {
          message: {
            id: said.id,
            type: 'message',
            role: 'assistant',
            model: said.model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: NOTHING,
          },
        });
      case 'text':
      case 'refusal':
        return this.#ensure('text', TEXT) + this.#delta('text_delta', 'text', said.text);
      case 'reasoning':
        return this.#ensure('thinking', THINKING) + this.#delta('thinking_delta', 'thinking', said.text);
      case 'signature': {
        const opened = this.#ensure('thinking', THINKING);
        return (
          opened +
          this.#delta('signature_delta', 'signature', showSignature(said.signature, 'anthropic')) +
          this.#close()
        );
      }
      case 'opaque':
        return (
          this.#begin('none', { type: 'redacted_thinking', data: showSignature(said.data, 'anthropic') }) + this.#stop()
        );
      case 'tool_call':
        return this.#toolUse(said);
      case 'args':
        return this.#args(said);
      case 'media':
        return this.#ensure('text', TEXT) + this.#delta('text_delta', 'text', unseen(said.type));
      case 'finish':
        this.#finish = said;
        return '';
      case 'error':
        return `event: error\ndata: ${JSON.stringify(writeError(said.error))}\n\n`;
    }
  }

  /** A signature of a call proves what was thought before it: it stands where callers keep such proofs. */
  #toolUse({ call, id, name, signature }: Extract<AnswerEvent, { readonly kind: 'tool_call' }>): string {
    const proof =
      signature === null
        ? ''
        : this.#ensure('thinking', THINKING) +
          this.#delta('signature_delta', 'signature', showSignature(signature, 'anthropic')) +
          this.#close();
    const begun = this.#begin('tool_use', { type: 'tool_use', id, name, input: {} });
    this.#call = call;
    return proof + begun;
  }

  #args({ call, json }: Extract<AnswerEvent, { readonly kind: 'args' }>): string {
    if (this.#open === 'tool_use' && call === this.#call) return this.#delta('input_json_delta', 'partial_json', json);
    // A block that is over takes no more, and half a call must not look like a whole one.
    const error = { status: 0, message: MIXED, type: 'api_error', code: null, param: null };
    return `event: error\ndata: ${JSON.stringify(writeError(error))}\n\n`;
  }

  #ensure(kind: Open, block: object): string {
    return this.#open === kind ? '' : this.#begin(kind, block);
  }

  #begin(kind: Open, block: object): string {
    const closed = this.#close();
    this.#open = kind;
    this.#index += 1;
    return `${closed}${eventOf('content_block_start', { index: this.#index, content_block: block })}`;
  }

  #close(): string {
    if (this.#open === 'none') return '';
    this.#open = 'none';
    return this.#stop();
  }

  #stop(): string {
    return eventOf('content_block_stop', { index: this.#index });
  }

  #delta(type: string, name: string, text: string): string {
    const delta = `{"type":"${type}","${name}":${JSON.stringify(text)}}`;
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":${delta}}\n\n`;
  }
}

const MIXED = 'The provider mixed the arguments of several tool calls, which this format cannot say.';

const TEXT = { type: 'text', text: '' };
const THINKING = { type: 'thinking', thinking: '', signature: '' };

function eventOf(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
