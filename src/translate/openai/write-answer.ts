import type { AnswerContext } from '#wires';
import type { Answer, AnswerPart, Choice, FinishReason, ProviderError, TokenLogprob } from '../answer.ts';
import type { Signature } from '../prompt.ts';
import type { Shown } from '../side.ts';
import { showSignature } from '../signature.ts';
import { writeUsage } from './usage.ts';

export const FINISHES: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  tools: 'tool_calls',
  filtered: 'content_filter',
  refused: 'content_filter',
};

export function writeAnswer({ id, model, choices }: Answer, { usage, context }: Shown): object {
  return {
    id,
    object: 'chat.completion',
    created: createdAt(context),
    model,
    choices: choices.map(writeChoice),
    ...(usage === null ? {} : { usage: writeUsage(usage) }),
  };
}

function writeChoice({ parts, reason, logprobs }: Choice, index: number): object {
  return {
    index,
    message: writeMessage(parts),
    logprobs: logprobs.length === 0 ? null : { content: logprobs.map(writeLogprob), refusal: null },
    finish_reason: FINISHES[reason],
  };
}

function writeMessage(parts: readonly AnswerPart[]): object {
  const texts: string[] = [];
  const refusals: string[] = [];
  const calls: object[] = [];
  const thoughts: string[] = [];
  const blocks: object[] = [];
  const images: object[] = [];
  for (const part of parts) {
    switch (part.kind) {
      case 'text':
        texts.push(part.text);
        break;
      case 'refusal':
        refusals.push(part.text);
        break;
      case 'tool_call':
        calls.push({ ...writeCall(part), function: { name: part.name, arguments: part.args } });
        break;
      case 'reasoning':
        thoughts.push(part.text);
        if (part.signature !== null) blocks.push(thinkingBlock(part.text, part.signature));
        break;
      case 'opaque':
        blocks.push(opaqueBlock(part.data));
        break;
      case 'media':
        images.push(writeImage(part, images.length));
        break;
    }
  }
  return {
    role: 'assistant',
    content: texts.length === 0 ? null : texts.join(''),
    refusal: refusals.length === 0 ? null : refusals.join(''),
    ...(thoughts.length === 0 ? {} : { reasoning_content: thoughts.join('') }),
    ...(blocks.length === 0 ? {} : { thinking_blocks: blocks }),
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

type Call = { readonly id: string; readonly signature: Signature | null };

/** A thought signature stands where Google's OpenAI-compatible endpoint has it; it must come back with the call. */
export function writeCall({ id, signature }: Call): object {
  const extra = signature?.by === 'gemini' ? { extra_content: { google: { thought_signature: signature.value } } } : {};
  return { id, type: 'function', ...extra };
}

/** LiteLLM's field: what Anthropic wants back, word for word, before the results of its tool calls. */
export function thinkingBlock(thinking: string, signature: Signature): object {
  return { type: 'thinking', thinking, signature: showSignature(signature, 'anthropic') };
}

export function opaqueBlock(data: Signature): object {
  return { type: 'redacted_thinking', data: showSignature(data, 'anthropic') };
}

export function writeImage(
  { type, base64 }: { readonly type: string; readonly base64: string },
  index: number,
): object {
  return { type: 'image_url', index, image_url: { url: `data:${type};base64,${base64}` } };
}

export function writeLogprob({ token, logprob, others }: TokenLogprob): object {
  return {
    token,
    logprob,
    bytes: [...Buffer.from(token)],
    top_logprobs: others.map((other) => ({ ...other, bytes: [...Buffer.from(other.token)] })),
  };
}

/** Only OpenAI says when an answer was made: the answer's own date stands for it. */
export function createdAt({ headers }: AnswerContext): number {
  const date = headers['date'];
  const at = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.floor(at / 1000);
}

/** OpenAI's types of errors by status; an error in a stream has none, and keeps its own. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [409, 'conflict_error'],
  [413, 'invalid_request_error'],
  [422, 'invalid_request_error'],
  [429, 'rate_limit_error'],
]);

export function writeError({ status, message, type, code, param }: ProviderError): object {
  const shown = TYPES.get(status) ?? (type === '' ? 'api_error' : type);
  return { error: { message, type: shown, param, code: code ?? (type === '' ? null : type) } };
}
