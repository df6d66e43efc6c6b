import type { Signature } from './prompt.ts';

/** What a model answers, piece by piece, in no dialect's words; a whole answer is the same pieces at once. */
export type AnswerEvent =
  | { readonly kind: 'start'; readonly id: string; readonly model: string }
  | (OfChoice & { readonly kind: 'text'; readonly text: string; readonly logprobs: readonly TokenLogprob[] })
  | (OfChoice & { readonly kind: 'refusal'; readonly text: string })
  | (OfChoice & { readonly kind: 'reasoning'; readonly text: string })
  /** Proves the reasoning before it. */
  | (OfChoice & { readonly kind: 'signature'; readonly signature: Signature })
  /** Reasoning that only its provider can read. */
  | (OfChoice & { readonly kind: 'opaque'; readonly data: Signature })
  | (OfChoice & {
      readonly kind: 'tool_call';
      /** Which call of this choice, from 0. */
      readonly call: number;
      readonly id: string;
      readonly name: string;
      readonly signature: Signature | null;
    })
  /** A piece of the JSON text of a call's arguments. */
  | (OfChoice & { readonly kind: 'args'; readonly call: number; readonly json: string })
  | (OfChoice & { readonly kind: 'media'; readonly type: string; readonly base64: string })
  | (OfChoice & {
      readonly kind: 'finish';
      readonly reason: FinishReason;
      /** The stop sequence that was met; null where there was none, or the provider does not say. */
      readonly stop: string | null;
    })
  | { readonly kind: 'error'; readonly error: ProviderError };

type OfChoice = { readonly choice: number };

export type FinishReason = 'stop' | 'length' | 'tools' | 'filtered' | 'refused';

export type TokenLogprob = {
  readonly token: string;
  readonly logprob: number;
  readonly others: readonly { readonly token: string; readonly logprob: number }[];
};

/** What a provider says instead of an answer. */
export type ProviderError = {
  /** 0 in the midst of a stream, where there is none any more. */
  readonly status: number;
  readonly message: string;
  /** The provider's word for it; empty where it has none. */
  readonly type: string;
  readonly code: string | null;
  /** The field at fault, in the provider's words. */
  readonly param: string | null;
};

/** A whole answer, put together. */
export type Answer = { readonly id: string; readonly model: string; readonly choices: readonly Choice[] };

export type Choice = {
  readonly parts: readonly AnswerPart[];
  readonly reason: FinishReason;
  readonly stop: string | null;
  readonly logprobs: readonly TokenLogprob[];
};

export type AnswerPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string; readonly signature: Signature | null }
  | { readonly kind: 'opaque'; readonly data: Signature }
  | {
      readonly kind: 'tool_call';
      readonly id: string;
      readonly name: string;
      readonly args: string;
      readonly signature: Signature | null;
    }
  | { readonly kind: 'media'; readonly type: string; readonly base64: string };

type Growing = {
  parts: AnswerPart[];
  reason: FinishReason;
  stop: string | null;
  logprobs: TokenLogprob[];
  /** Places of the calls in `parts`. */
  calls: Map<number, number>;
};

/** Puts the pieces of one whole answer together. The first error stands for all of it. */
export function gather(events: readonly AnswerEvent[]): Answer | ProviderError {
  let head = { id: '', model: '' };
  const choices: Growing[] = [];
  for (const event of events) {
    if (event.kind === 'error') return event.error;
    if (event.kind === 'start') head = { id: event.id, model: event.model };
    else grow(choiceAt(choices, event.choice), event);
  }
  choiceAt(choices, 0);
  return { ...head, choices };
}

export function isError(answer: Answer | ProviderError): answer is ProviderError {
  return 'status' in answer;
}

function choiceAt(choices: Growing[], index: number): Growing {
  while (choices.length <= index)
    choices.push({ parts: [], reason: 'stop', stop: null, logprobs: [], calls: new Map() });
  const found = choices[index];
  if (found === undefined) throw new RangeError('a choice has an index from 0');
  return found;
}

function grow(choice: Growing, event: Exclude<AnswerEvent, { readonly kind: 'start' | 'error' }>): void {
  const { parts } = choice;
  const last = parts.at(-1);
  switch (event.kind) {
    case 'text':
      choice.logprobs.push(...event.logprobs);
      if (last?.kind === 'text') parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else if (event.text !== '') parts.push({ kind: 'text', text: event.text });
      return;
    case 'refusal':
      if (last?.kind === 'refusal') parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else parts.push({ kind: 'refusal', text: event.text });
      return;
    case 'reasoning':
      if (last?.kind === 'reasoning' && last.signature === null)
        parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else parts.push({ kind: 'reasoning', text: event.text, signature: null });
      return;
    case 'signature':
      if (last?.kind === 'reasoning' && last.signature === null)
        parts[parts.length - 1] = { ...last, signature: event.signature };
      else parts.push({ kind: 'reasoning', text: '', signature: event.signature });
      return;
    case 'opaque':
      parts.push({ kind: 'opaque', data: event.data });
      return;
    case 'tool_call':
      choice.calls.set(event.call, parts.length);
      parts.push({ kind: 'tool_call', id: event.id, name: event.name, args: '', signature: event.signature });
      return;
    case 'args': {
      const at = choice.calls.get(event.call) ?? -1;
      const call = parts[at];
      if (call?.kind === 'tool_call') parts[at] = { ...call, args: call.args + event.json };
      return;
    }
    case 'media':
      parts.push({ kind: 'media', type: event.type, base64: event.base64 });
      return;
    case 'finish':
      choice.reason = event.reason;
      choice.stop = event.stop;
      return;
  }
}
