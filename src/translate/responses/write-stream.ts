import type { AnswerEvent, FinishReason, TokenLogprob } from '../answer.ts';
import { createdAt, writeLogprob } from '../openai/write-answer.ts';
import type { Signature } from '../prompt.ts';
import type { Closing, StreamAround, StreamWriter } from '../side.ts';
import { showSeal } from './seal.ts';
import {
  callItem,
  contentOf,
  imageItem,
  itemId,
  messageItem,
  reasoningItem,
  responseOf,
  type Content,
  type ResponseHead,
} from './write-answer.ts';

export function writeStream(around: StreamAround): StreamWriter {
  return new ResponseWriter(around);
}

/** An item that is still being written. */
type Open = { readonly place: number; readonly id: string } & (
  | { readonly kind: 'message'; type: Content['type']; text: string; logprobs: TokenLogprob[]; done: object[] }
  | { readonly kind: 'reasoning'; text: string; seal: string | null }
  | { readonly kind: 'call'; readonly callId: string; readonly name: string; args: string }
);

type OpenOf<K extends Open['kind']> = Extract<Open, { readonly kind: K }>;

/**
 * The events of Responses. Each item is added, grows and is done; calls of tools may grow side by side. The last event holds
 * the whole answer with its usage: it is the end, and waits for it.
 */
class ResponseWriter implements StreamWriter {
  #head: ResponseHead;
  #sequence = 0;
  /** Done items, by their place. */
  readonly #output: object[] = [];
  #places = 0;
  #current: OpenOf<'message' | 'reasoning'> | null = null;
  readonly #calls = new Map<number, OpenOf<'call'>>();
  #reason: FinishReason | null = null;

  constructor({ context }: StreamAround) {
    this.#head = { id: '', model: context.request.model, createdAt: createdAt(context) };
  }

  write(events: readonly AnswerEvent[]): string {
    let said = '';
    for (const event of events) said += this.#say(event);
    return said;
  }

  end({ usage, cost }: Closing): string {
    const comment = `: apportion-cost ${cost.usd ?? 'unknown'} ${cost.state}\n\n`;
    const reason = this.#reason;
    if (reason === null) return comment;
    const rest = this.#closeAll();
    const response = responseOf(this.#head, { output: this.#output, reason, usage });
    const cut = reason === 'length' || reason === 'filtered';
    return `${rest}${comment}${this.#event(cut ? 'response.incomplete' : 'response.completed', { response })}`;
  }

  #say(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start': {
        this.#head = { ...this.#head, id: event.id, model: event.model };
        const response = responseOf(this.#head, { output: [], reason: null, usage: null });
        return this.#event('response.created', { response }) + this.#event('response.in_progress', { response });
      }
      case 'text':
        return this.#said('output_text', event);
      case 'refusal':
        return this.#said('refusal', { text: event.text, logprobs: [] });
      case 'reasoning':
        return this.#thought(event.text);
      case 'signature':
        return this.#sealed(event.signature, false);
      case 'opaque':
        return this.#closeCurrent() + this.#sealed(event.data, true);
      case 'tool_call':
        return this.#call(event);
      case 'args':
        return this.#args(event);
      case 'media':
        return this.#image(event.base64);
      case 'finish':
        this.#reason = event.reason;
        return '';
      case 'error': {
        const { code, type, message, param } = event.error;
        return this.#event('error', { code: code ?? (type === '' ? null : type), message, param });
      }
    }
  }

  #said(type: Content['type'], { text, logprobs }: { text: string; logprobs: readonly TokenLogprob[] }): string {
    let said = '';
    let open = this.#current;
    if (open?.kind !== 'message') {
      said += this.#closeCurrent();
      open = { kind: 'message', ...this.#place('msg'), type, text: '', logprobs: [], done: [] };
      this.#current = open;
      said += this.#added(open.place, messageItem(open.id, { content: [], status: 'in_progress' }));
      said += this.#partAdded(open);
    } else if (open.type !== type) {
      said += this.#partDone(open);
      open.type = type;
      said += this.#partAdded(open);
    }
    open.text += text;
    open.logprobs.push(...logprobs);
    const told = type === 'output_text' ? { delta: text, logprobs: logprobs.map(writeLogprob) } : { delta: text };
    return said + this.#event(`response.${type}.delta`, { ...this.#at(open), ...told });
  }

  #thought(text: string): string {
    let said = '';
    let open = this.#current;
    if (open?.kind !== 'reasoning') {
      said += this.#closeCurrent();
      open = this.#openReasoning();
      said += this.#added(open.place, reasoningItem(open.id, open));
    }
    if (open.text === '')
      said += this.#event('response.reasoning_summary_part.added', { ...summaryAt(open), part: summaryOf('') });
    open.text += text;
    return said + this.#event('response.reasoning_summary_text.delta', { ...summaryAt(open), delta: text });
  }

  /** The seal closes what was thought before it, or stands alone. */
  #sealed(signature: Signature, opaque: boolean): string {
    let said = '';
    let open = this.#current;
    if (open?.kind !== 'reasoning') {
      said += this.#closeCurrent();
      open = this.#openReasoning();
      said += this.#added(open.place, reasoningItem(open.id, open));
    }
    open.seal = showSeal({ signature, opaque });
    return said + this.#closeCurrent();
  }

  #openReasoning(): OpenOf<'reasoning'> {
    const open: OpenOf<'reasoning'> = { kind: 'reasoning', ...this.#place('rs'), text: '', seal: null };
    this.#current = open;
    return open;
  }

  #call({ call, id, name, signature }: Extract<AnswerEvent, { readonly kind: 'tool_call' }>): string {
    const before = (signature === null ? '' : this.#sealed(signature, false)) + this.#closeCurrent();
    const open: OpenOf<'call'> = { kind: 'call', ...this.#place('fc'), callId: id, name, args: '' };
    this.#calls.set(call, open);
    return before + this.#added(open.place, callItem({ ...callOf(open), args: '' }, 'in_progress'));
  }

  #args({ call, json }: Extract<AnswerEvent, { readonly kind: 'args' }>): string {
    const open = this.#calls.get(call);
    if (open === undefined) return '';
    open.args += json;
    return this.#event('response.function_call_arguments.delta', {
      item_id: open.id,
      output_index: open.place,
      delta: json,
    });
  }

  #image(base64: string): string {
    const before = this.#closeCurrent();
    const { place, id } = this.#place('ig');
    const item = imageItem(id, base64);
    return before + this.#added(place, { ...item, status: 'in_progress', result: null }) + this.#done(place, item);
  }

  #closeAll(): string {
    let said = this.#closeCurrent();
    for (const open of this.#calls.values()) {
      const at = { item_id: open.id, output_index: open.place };
      said += this.#event('response.function_call_arguments.done', { ...at, name: open.name, arguments: open.args });
      said += this.#done(open.place, callItem(callOf(open), 'completed'));
    }
    this.#calls.clear();
    return said;
  }

  #closeCurrent(): string {
    const open = this.#current;
    if (open === null) return '';
    this.#current = null;
    if (open.kind === 'message') {
      const said = this.#partDone(open);
      return said + this.#done(open.place, messageItem(open.id, { content: open.done, status: 'completed' }));
    }
    const at = summaryAt(open);
    const told =
      open.text === ''
        ? ''
        : this.#event('response.reasoning_summary_text.done', { ...at, text: open.text }) +
          this.#event('response.reasoning_summary_part.done', { ...at, part: summaryOf(open.text) });
    return told + this.#done(open.place, reasoningItem(open.id, open));
  }

  #partAdded(open: OpenOf<'message'>): string {
    const part = contentOf({ type: open.type, text: '' }, []);
    return this.#event('response.content_part.added', { ...this.#at(open), part });
  }

  #partDone(open: OpenOf<'message'>): string {
    const { type, text, logprobs } = open;
    const part = contentOf({ type, text }, logprobs);
    const told = type === 'output_text' ? { text, logprobs: logprobs.map(writeLogprob) } : { refusal: text };
    const said =
      this.#event(`response.${type}.done`, { ...this.#at(open), ...told }) +
      this.#event('response.content_part.done', { ...this.#at(open), part });
    open.done.push(part);
    open.text = '';
    open.logprobs = [];
    return said;
  }

  #at({ id, place, done }: OpenOf<'message'>): object {
    return { item_id: id, output_index: place, content_index: done.length };
  }

  #place(kind: string): { readonly place: number; readonly id: string } {
    const place = this.#places;
    this.#places += 1;
    return { place, id: itemId(kind, this.#head.id, place) };
  }

  #added(place: number, item: object): string {
    return this.#event('response.output_item.added', { output_index: place, item });
  }

  #done(place: number, item: object): string {
    this.#output[place] = item;
    return this.#event('response.output_item.done', { output_index: place, item });
  }

  #event(type: string, fields: object): string {
    const text = JSON.stringify({ type, sequence_number: this.#sequence, ...fields });
    this.#sequence += 1;
    return `event: ${type}\ndata: ${text}\n\n`;
  }
}

function callOf(open: OpenOf<'call'>): { itemId: string; id: string; name: string; args: string } {
  return { itemId: open.id, id: open.callId, name: open.name, args: open.args };
}

function summaryAt(open: OpenOf<'reasoning'>): object {
  return { item_id: open.id, output_index: open.place, summary_index: 0 };
}

function summaryOf(text: string): object {
  return { type: 'summary_text', text };
}
