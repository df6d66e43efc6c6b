import type { Usage } from '#terms';
import { usageContext } from '../answer-context.ts';
import { asObject, asObjects, asText, parseLoosely } from '../loose-json.ts';
import { NO_FACTS, type AnswerContext, type AnswerFacts, type UsageObject } from '../wire.ts';
import { readCohereUsage } from './usage.ts';

/** Cohere's answers do not name the model. */
export function readCohereAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const answer = asObject(parseLoosely(bytes.toString('utf8')));
  if (answer === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const usage = readUsage(answer['usage'] ?? answer['meta'], context);
  const message = asObject(answer['message']);
  return {
    id: asText(answer['id']),
    model: '',
    usage,
    usageComplete: usage !== null,
    outputText: usage === null && message !== null ? messageText(message) : '',
    outputCharsBeyond: 0,
    failed: typeof answer['message'] === 'string',
  };
}

export function readUsage(value: unknown, context: AnswerContext): Usage | null {
  return readCohereUsage(value, usageContext(context, { serviceTier: '' }));
}

/** Everything a model wrote into a message: texts, thoughts, its plan for tools and what it calls them with. */
export function messageText(message: UsageObject): string {
  const content = message['content'];
  const blocks = Array.isArray(content) ? asObjects(content) : asObjects([content]);
  const written = blocks.map((block) => asText(block['text']) + asText(block['thinking']));
  const calls = message['tool_calls'];
  const called = (Array.isArray(calls) ? asObjects(calls) : asObjects([calls])).map((call) => {
    const made = asObject(call['function']);
    return asText(made?.['name']) + asText(made?.['arguments']);
  });
  return [...written, asText(message['tool_plan']), ...called].join('');
}
