import type { Wire } from '../wire.ts';
import { ArrayStream } from './array-stream.ts';
import { readGeminiAnswer } from './answer.ts';
import { outputLimitNames, readGenerateRequest, readInputOnlyRequest, requestText, writeRequest } from './request.ts';
import { GeminiStreamMeter } from './stream.ts';

const OPEN_ARRAY = 0x5b;

const NAMES = { id: 'responseId', model: 'modelVersion', usage: 'usageMetadata' };

/** Gemini's `:generateContent` and `:streamGenerateContent`, told apart by the action in the path. */
export const geminiGenerate: Wire = {
  name: 'gemini.generateContent',
  dialect: 'gemini',
  names: NAMES,
  readRequest: readGenerateRequest,
  writeRequest,
  outputLimitNames,
  requestText,
  readAnswer(bytes, context) {
    // A stream without `alt=sse` is one JSON array, and may come whole.
    if (bytes[0] !== OPEN_ARRAY) return readGeminiAnswer(bytes, context);
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
  outputLimitNames: () => [],
  readAnswer: readGeminiAnswer,
};

/** `:countTokens` counts and generates nothing; Google does not bill it, and it has no usage. */
export const geminiCountTokens: Wire = { ...geminiEmbed, name: 'gemini.countTokens' };

export { geminiErrorEvent, geminiStatusName, toGeminiError } from './error.ts';
export { Grounding, groundingUnitOf, type GroundingUnit } from './grounding.ts';
export { readGeminiUsage } from './usage.ts';
