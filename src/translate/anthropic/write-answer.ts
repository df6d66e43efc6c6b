import { anthropicErrorType } from '#wires';
import type { Answer, AnswerPart, FinishReason, ProviderError } from '../answer.ts';
import { isFields } from '../fields.ts';
import type { Shown } from '../side.ts';
import { showSignature } from '../signature.ts';
import { writeUsage } from './usage.ts';

const FINISHES: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tools: 'tool_use',
  filtered: 'refusal',
  refused: 'refusal',
};

export function stopOf(
  reason: FinishReason,
  stop: string | null,
): { stop_reason: string; stop_sequence: string | null } {
  return { stop_reason: stop === null ? FINISHES[reason] : 'stop_sequence', stop_sequence: stop };
}

export function writeAnswer({ id, model, choices }: Answer, { usage }: Shown): object {
  const [choice] = choices;
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: (choice?.parts ?? []).flatMap(writePart),
    ...stopOf(choice?.reason ?? 'stop', choice?.stop ?? null),
    usage: writeUsage(usage),
  };
}

function writePart(part: AnswerPart): object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text }];
    case 'reasoning':
      return [
        {
          type: 'thinking',
          thinking: part.text,
          signature: part.signature === null ? '' : showSignature(part.signature, 'anthropic'),
        },
      ];
    case 'opaque':
      return [{ type: 'redacted_thinking', data: showSignature(part.data, 'anthropic') }];
    case 'tool_call': {
      const call = { type: 'tool_use', id: part.id, name: part.name, input: inputOf(part.args) };
      if (part.signature === null) return [call];
      return [{ type: 'thinking', thinking: '', signature: showSignature(part.signature, 'anthropic') }, call];
    }
    case 'media':
      return [{ type: 'text', text: unseen(part.type) }];
  }
}

/** Anthropic's answers hold no media. */
export function unseen(type: string): string {
  return `[The model answered with ${type}, which this format cannot hold.]`;
}

/** What a model wrote as arguments need not be JSON; the caller sees what it wrote. */
function inputOf(args: string): unknown {
  try {
    const input: unknown = JSON.parse(args === '' ? '{}' : args);
    return isFields(input) ? input : { input };
  } catch {
    return { input: args };
  }
}

export function writeError({ status, message, type }: ProviderError): object {
  return { type: 'error', error: { type: status === 0 ? typeInStream(type) : anthropicErrorType(status), message } };
}

function typeInStream(type: string): string {
  return type.endsWith('_error') ? type : 'api_error';
}
