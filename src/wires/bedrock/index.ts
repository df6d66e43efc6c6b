import type { Wire } from '../wire.ts';
import { readConverseAnswer, readInvokeAnswer } from './answer.ts';
import { ConverseStreamMeter } from './converse-stream.ts';
import { InvokeStreamMeter } from './invoke-stream.ts';
import {
  converseLimitNames,
  readConverseRequest,
  readInvokeRequest,
  requestText,
  writeConverse,
  writeInvoke,
} from './request.ts';

const NAMES = { id: 'id', model: 'model', usage: 'usage', beside: ['serviceTier', 'performanceConfig'] };

/** Bedrock's `converse` and `converse-stream`: one format for every maker's models. */
export const bedrockConverse: Wire = {
  name: 'bedrock.converse',
  dialect: 'bedrock',
  names: NAMES,
  readRequest: readConverseRequest,
  writeRequest: writeConverse,
  outputLimitNames: converseLimitNames,
  requestText,
  readAnswer: readConverseAnswer,
  meterStream: (context) => new ConverseStreamMeter(context),
};

/** Bedrock's `invoke` and `invoke-with-response-stream`: each maker's own format. */
export const bedrockInvoke: Wire = {
  name: 'bedrock.invoke',
  dialect: 'bedrock',
  names: NAMES,
  readRequest: readInvokeRequest,
  writeRequest: writeInvoke,
  requestText,
  readAnswer: readInvokeAnswer,
  meterStream: (context) => new InvokeStreamMeter(context),
};

export { isClaude } from './answer.ts';
export { claudeAtBedrock } from './claude.ts';
export { readBedrockConverseUsage } from './converse-usage.ts';
export { bedrockErrorEvent, toBedrockError } from './error.ts';
export { EVENT_STREAM, FrameBuffer, writeFrame, type Frame } from './frames.ts';
export { readBedrockInvokeUsage } from './invoke-usage.ts';
