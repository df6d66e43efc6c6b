import type { Wire } from '../wire.ts';
import { ArrayStream } from './array-stream.ts';
import { readFreeAnswer, readGeminiAnswer } from './answer.ts';
import { readGenerateRequest, readInputOnlyRequest, requestText, writeRequest } from './request.ts';
import { GeminiStreamMeter } from './stream.ts';

const NAMES = { id: 'responseId', model: 'modelVersion', usage: 'usageMetadata' };

/** Gemini's `:generateContent` and `:streamGenerateContent`, told apart by the action in the path. */
export const geminiGenerate: Wire = {
  name: 'gemini.generateContent',
  dialect: 'gemini',
  names: NAMES,
  readRequest: readGenerateRequest,
  writeRequest,
  requestText,
  readAnswer(bytes, context) {
    // A stream without `alt=sse` is one JSON array, and may come whole.
    if (!/^\s*\[/.test(bytes.toString('latin1', 0, 64))) return readGeminiAnswer(bytes, context);
    const stream = new ArrayStream(context);
    stream.push(bytes);
    return stream.facts();
  },
  meterStream: (context) => new GeminiStreamMeter(context),
};

/** `:embedContent` and `:batchEmbedContents`. Older models say nothing of their usage: it is estimated then. */
export const geminiEmbed: Wire = {
  ...geminiGenerate,
  name: 'gemini.embedContent',
  readRequest: readInputOnlyRequest,
  readAnswer: readGeminiAnswer,
};

/** `:countTokens` counts and generates nothing, and Google does not bill it: its usage is known, and empty. */
export const geminiCountTokens: Wire = {
  ...geminiEmbed,
  name: 'gemini.countTokens',
  readAnswer: readFreeAnswer,
};

export { geminiErrorEvent, toGeminiError, type GeminiError } from './error.ts';
export { Grounding, groundingUnitOf, type GroundingUnit } from './grounding.ts';
export { readGeminiUsage } from './usage.ts';
