import type { Wire } from '../wire.ts';
import { readChatAnswer } from './answer.ts';
import { chatRequestText, readChatRequest, writeChatRequest } from './request.ts';
import { ChatStreamMeter } from './stream.ts';

/** OpenAI chat completions, and every server that speaks them. */
export const openAiChat: Wire = {
  name: 'openai.chat',
  readRequest: readChatRequest,
  writeRequest: writeChatRequest,
  requestText: chatRequestText,
  readAnswer: readChatAnswer,
  meterStream: (options) => new ChatStreamMeter(options),
};
