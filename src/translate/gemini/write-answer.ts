import { geminiStatusName } from '#wires';
import type { Answer, AnswerPart, Choice, FinishReason, ProviderError, TokenLogprob } from '../answer.ts';
import { isFields } from '../fields.ts';
import type { Signature } from '../prompt.ts';
import type { Shown } from '../side.ts';
import { showSignature } from '../signature.ts';
import { OPAQUE } from './read-contents.ts';
import { writeUsage } from './usage.ts';

export const FINISHES: Readonly<Record<FinishReason, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tools: 'STOP',
  filtered: 'SAFETY',
  refused: 'PROHIBITED_CONTENT',
};

export function writeAnswer({ id, model, choices }: Answer, { usage }: Shown): object {
  return {
    candidates: choices.map(writeCandidate),
    ...(usage === null ? {} : { usageMetadata: writeUsage(usage) }),
    modelVersion: model,
    responseId: id,
  };
}

function writeCandidate({ parts, reason, logprobs }: Choice, index: number): object {
  return {
    content: { role: 'model', parts: parts.map(writePart) },
    finishReason: FINISHES[reason],
    index,
    ...(logprobs.length === 0 ? {} : { logprobsResult: writeLogprobs(logprobs) }),
  };
}

export function writePart(part: AnswerPart): object {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { text: part.text };
    case 'reasoning':
      return { text: part.text, thought: true, ...writeSignature(part.signature) };
    case 'opaque':
      return { text: '', thought: true, thoughtSignature: `${OPAQUE}${showSignature(part.data, 'gemini')}` };
    case 'tool_call':
      return {
        functionCall: { id: part.id, name: part.name, args: argsOf(part.args) },
        ...writeSignature(part.signature),
      };
    case 'media':
      return { inlineData: { mimeType: part.type, data: part.base64 } };
  }
}

function writeSignature(signature: Signature | null): object {
  return signature === null ? {} : { thoughtSignature: showSignature(signature, 'gemini') };
}

/** What a model wrote as arguments need not be JSON; the caller sees what it wrote. */
function argsOf(args: string): unknown {
  try {
    const value: unknown = JSON.parse(args === '' ? '{}' : args);
    return isFields(value) ? value : { args: value };
  } catch {
    return { args };
  }
}

export function writeLogprobs(logprobs: readonly TokenLogprob[]): object {
  return {
    chosenCandidates: logprobs.map(({ token, logprob }) => ({ token, logProbability: logprob })),
    topCandidates: logprobs.map(({ others }) => ({
      candidates: others.map(({ token, logprob }) => ({ token, logProbability: logprob })),
    })),
  };
}

export function writeError({ status, message }: ProviderError): object {
  const code = status === 0 ? 500 : status;
  return { error: { code, message, status: geminiStatusName(code) } };
}
