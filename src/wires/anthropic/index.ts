import type { Wire } from '../wire.ts';
import { readCountAnswer, readMessageAnswer } from './answer.ts';
import { outputLimitNames, readCountRequest, readMessageRequest, requestText, writeRequest } from './request.ts';
import { MessageStreamMeter } from './stream.ts';

/** Anthropic Messages, and every server that speaks them. */
export const anthropicMessages: Wire = {
  name: 'anthropic.messages',
  dialect: 'anthropic',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest: readMessageRequest,
  writeRequest,
  outputLimitNames,
  requestText,
  readAnswer: readMessageAnswer,
  meterStream: (context) => new MessageStreamMeter(context),
};

/** Counts the tokens a message would have: free of charge, never a stream, and an answer without an id. */
export const anthropicCountTokens: Wire = {
  ...anthropicMessages,
  name: 'anthropic.count_tokens',
  readRequest: readCountRequest,
  outputLimitNames: () => [],
  readAnswer: readCountAnswer,
};
