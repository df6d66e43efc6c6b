import type { Wire } from '../wire.ts';
import { readChatAnswer } from './answer.ts';
import {
  chatLimitNames,
  readChatRequest,
  readCompletionRequest,
  readEmbeddingRequest,
  requestText,
} from './request.ts';
import { ChatStreamMeter } from './stream.ts';
import { writeChatRequest, writeRequest } from './write-request.ts';

/** OpenAI chat completions, and every server that speaks them. */
export const openAiChat: Wire = {
  name: 'openai.chat',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage', beside: ['service_tier'] },
  readRequest: readChatRequest,
  writeRequest: writeChatRequest,
  outputLimitNames: chatLimitNames,
  requestText,
  readAnswer: readChatAnswer,
  meterStream: (context) => new ChatStreamMeter(context),
};

/** Legacy completions: a prompt in, `text` out; the same usage. */
export const openAiCompletions: Wire = {
  ...openAiChat,
  name: 'openai.completions',
  writeRequest,
  readRequest: readCompletionRequest,
  outputLimitNames: () => ['max_tokens'],
};

/** Embeddings: input tokens only, never a stream, and an answer without an id. */
export const openAiEmbeddings: Wire = {
  ...openAiChat,
  name: 'openai.embeddings',
  writeRequest,
  readRequest: readEmbeddingRequest,
  outputLimitNames: () => [],
};
