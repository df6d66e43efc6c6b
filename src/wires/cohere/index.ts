import { writeUnasked } from '../openai/write-request.ts';
import type { Wire } from '../wire.ts';
import { readCohereAnswer } from './answer.ts';
import { readChatRequest, readEmbedRequest, readRerankRequest, requestText } from './request.ts';
import { CohereStreamMeter } from './stream.ts';

/** Cohere's chat, version 2. */
export const cohereChat: Wire = {
  name: 'cohere.chat',
  dialect: 'cohere',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest: readChatRequest,
  writeRequest: writeUnasked,
  outputLimitNames: () => ['max_tokens'],
  requestText,
  readAnswer: readCohereAnswer,
  meterStream: (context) => new CohereStreamMeter(context),
};

/** Embeddings: what was billed stands in `meta`. */
export const cohereEmbed: Wire = {
  ...cohereChat,
  name: 'cohere.embed',
  names: { id: 'id', model: 'model', usage: 'meta' },
  readRequest: readEmbedRequest,
  outputLimitNames: () => [],
};

/** Rankings of documents, by searches. */
export const cohereRerank: Wire = { ...cohereEmbed, name: 'cohere.rerank', readRequest: readRerankRequest };

export { cohereErrorEvent, toCohereError } from './error.ts';
export { readCohereUsage } from './usage.ts';
