import type { Usage } from '#terms';
import type { Answer, AnswerPart, FinishReason, TokenLogprob } from '../answer.ts';
import { createdAt, writeLogprob } from '../openai/write-answer.ts';
import type { Shown } from '../side.ts';
import { showSeal } from './seal.ts';
import { writeUsage } from './usage.ts';

export function writeAnswer({ id, model, choices }: Answer, { usage, context }: Shown): object {
  const [choice] = choices;
  const items = new Items(id);
  const logprobs = choice?.logprobs ?? [];
  for (const part of choice?.parts ?? []) items.add(part, logprobs);
  const reason = choice?.reason ?? 'stop';
  return responseOf({ id, model, createdAt: createdAt(context) }, { output: items.all, reason, usage });
}

export type ResponseHead = { readonly id: string; readonly model: string; readonly createdAt: number };

/** `reason` is null while the answer is being written. */
export type ResponseBody = {
  readonly output: readonly object[];
  readonly reason: FinishReason | null;
  readonly usage: Usage | null;
};

/** What was asked is not repeated: callers know it. Nothing is stored, whatever they asked. */
export function responseOf(head: ResponseHead, { output, reason, usage }: ResponseBody): object {
  const cut = reason === null ? undefined : CUT[reason];
  return {
    id: head.id,
    object: 'response',
    created_at: head.createdAt,
    status: reason === null ? 'in_progress' : cut === undefined ? 'completed' : 'incomplete',
    background: false,
    error: null,
    incomplete_details: cut === undefined ? null : { reason: cut },
    model: head.model,
    output,
    store: false,
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    metadata: {},
    usage: usage === null ? null : writeUsage(usage),
  };
}

const CUT: Readonly<Partial<Record<FinishReason, string>>> = {
  length: 'max_output_tokens',
  filtered: 'content_filter',
};

export type Content = { readonly type: 'output_text' | 'refusal'; readonly text: string };

export function contentOf({ type, text }: Content, logprobs: readonly TokenLogprob[]): object {
  if (type === 'refusal') return { type, refusal: text };
  return { type, text, annotations: [], logprobs: logprobs.map(writeLogprob) };
}

/** Builds the items of one answer; texts and refusals in a row are one message. */
class Items {
  readonly all: object[] = [];
  readonly #id: string;
  #message: object[] | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  add(part: AnswerPart, logprobs: readonly TokenLogprob[]): void {
    if (part.kind === 'text') this.#said(contentOf({ type: 'output_text', text: part.text }, logprobs));
    else if (part.kind === 'refusal') this.#said(contentOf({ type: 'refusal', text: part.text }, []));
    else {
      this.#message = null;
      this.#add(part);
    }
  }

  #add(part: Exclude<AnswerPart, { readonly kind: 'text' | 'refusal' }>): void {
    switch (part.kind) {
      case 'tool_call':
        if (part.signature !== null) this.#reason('', showSeal({ signature: part.signature, opaque: false }));
        this.all.push(callItem({ ...part, itemId: this.#next('fc') }, 'completed'));
        return;
      case 'reasoning': {
        const { text, signature } = part;
        this.#reason(text, signature === null ? null : showSeal({ signature, opaque: false }));
        return;
      }
      case 'opaque':
        this.#reason('', showSeal({ signature: part.data, opaque: true }));
        return;
      case 'media':
        this.all.push(imageItem(this.#next('ig'), part.base64));
        return;
    }
  }

  #reason(text: string, seal: string | null): void {
    this.all.push(reasoningItem(this.#next('rs'), { text, seal }));
  }

  #said(content: object): void {
    if (this.#message !== null) {
      this.#message.push(content);
      return;
    }
    this.#message = [content];
    this.all.push(messageItem(this.#next('msg'), { content: this.#message, status: 'completed' }));
  }

  #next(kind: string): string {
    return itemId(kind, this.#id, this.all.length);
  }
}

/** An item's id is that of its answer and its place. */
export function itemId(kind: string, answer: string, place: number): string {
  return `${kind}_${answer}_${place}`;
}

export type Status = 'in_progress' | 'completed';

export function messageItem(
  id: string,
  { content, status }: { readonly content: readonly object[]; readonly status: Status },
): object {
  return { id, type: 'message', status, role: 'assistant', content };
}

export type CallItem = {
  readonly itemId: string;
  readonly id: string;
  readonly name: string;
  readonly args: string;
};

export function callItem({ itemId: id, id: callId, name, args }: CallItem, status: Status): object {
  return { id, type: 'function_call', status, call_id: callId, name, arguments: args };
}

export type Thought = { readonly text: string; readonly seal: string | null };

export function reasoningItem(id: string, { text, seal }: Thought): object {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return { id, type: 'reasoning', summary, encrypted_content: seal };
}

export function imageItem(id: string, result: string): object {
  return { id, type: 'image_generation_call', status: 'completed', result };
}
