import { scanJsonObject } from '#std';
import type { Usage } from '#terms';
import { readMessageAnswer } from '../anthropic/answer.ts';
import { usageContext } from '../answer-context.ts';
import { asObject, asObjects, asText, parseLoosely } from '../loose-json.ts';
import { NO_FACTS, type AnswerContext, type AnswerFacts, type UsageContext, type UsageObject } from '../wire.ts';
import { readBedrockConverseUsage } from './converse-usage.ts';
import { readBedrockInvokeUsage } from './invoke-usage.ts';

/** The name Bedrock gives an answer stands in its headers alone. */
export function requestIdOf({ headers }: AnswerContext): string {
  const id = headers['x-amzn-requestid'];
  return typeof id === 'string' ? id : '';
}

/** A model of Claude's, by its id, with or without an inference profile's prefix, or as an ARN. */
export function isClaude(model: string): boolean {
  return /(?:^|[./:])(?:anthropic\.)?claude-|(?:^|[./])anthropic\./.test(model);
}

export function bedrockContext(context: AnswerContext, serviceTier: string): UsageContext {
  return { ...usageContext(context, { serviceTier }), model: context.model ?? context.request.model };
}

/** How an answer was served, which has prices of its own: the tier, or the faster inference that some models have. */
export function tierOf(answer: UsageObject): string {
  if (asText(asObject(answer['performanceConfig'])?.['latency']) === 'optimized') return 'latency_optimized';
  return asText(asObject(answer['serviceTier'])?.['type']);
}

export function readConverseAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const answer = asObject(parseLoosely(bytes.toString('utf8')));
  if (answer === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const usage = readBedrockConverseUsage(answer['usage'], bedrockContext(context, tierOf(answer)));
  const output = asObject(answer['output']);
  return {
    id: requestIdOf(context),
    model: '',
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? contentText(asObject(output?.['message'])?.['content']) : '',
    outputCharsBeyond: 0,
    failed: output === null && answer['message'] !== undefined,
  };
}

/** What a model wrote into the blocks of a message, and into the pieces of a stream. */
function contentText(content: unknown): string {
  return asObjects(content).map(blockText).join('');
}

export function blockText(block: UsageObject): string {
  const tool = asObject(block['toolUse']);
  const input = tool?.['input'];
  const reasoning = asObject(block['reasoningContent']);
  const thought = asText(reasoning?.['text']) + asText(asObject(reasoning?.['reasoningText'])?.['text']);
  const called = input === undefined ? '' : typeof input === 'string' ? input : JSON.stringify(input);
  return asText(block['text']) + thought + asText(tool?.['name']) + called;
}

/** The counts that headers state, under the names that the last chunk of a stream has for them. */
function countsIn(headers: AnswerContext['headers']): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [header, name] of COUNT_HEADERS) {
    const text = headers[header];
    if (typeof text === 'string' && /^\d{1,15}$/.test(text)) counts[name] = Number(text);
  }
  return counts;
}

const COUNT_HEADERS = [
  ['x-amzn-bedrock-input-token-count', 'inputTokenCount'],
  ['x-amzn-bedrock-output-token-count', 'outputTokenCount'],
  ['x-amzn-bedrock-cache-read-input-token-count', 'cacheReadInputTokenCount'],
  ['x-amzn-bedrock-cache-write-input-token-count', 'cacheWriteInputTokenCount'],
] as const;

/** Claude's answers carry Anthropic's usage, which says more than the headers that every model's have. */
export function readInvokeAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const id = requestIdOf(context);
  if (isClaude(context.model ?? context.request.model)) {
    const facts = readMessageAnswer(bytes, context);
    if (facts.usage !== null) return { ...facts, id: facts.id === '' ? id : facts.id, model: '' };
  }
  const usage: Usage | null = readBedrockInvokeUsage(countsIn(context.headers), bedrockContext(context, ''));
  const scan = scanJsonObject(bytes);
  const isText = scan.ok && usage === null;
  return {
    ...NO_FACTS,
    id,
    usage,
    usageComplete: usage !== null,
    outputCharsBeyond: isText ? bytes.length : 0,
  };
}
