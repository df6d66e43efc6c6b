import { randomUUID } from 'node:crypto';
import type { Seeded } from '../behaviour.ts';
import type { Answer, Operation, Refusal, StreamEvent } from '../dialect.ts';
import { contentText, isObject, objectsOf, parseObject, type Fields } from '../json-fields.ts';
import { planPieces, planTokens } from '../token-plan.ts';
import { frameText } from './frame.ts';
import { servedModel } from './models.ts';
import { refusal } from './refusals.ts';

const FIELDS = new Set([
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'guardrailConfig',
  'additionalModelRequestFields',
  'additionalModelResponseFieldPaths',
  'promptVariables',
  'requestMetadata',
  'performanceConfig',
  'serviceTier',
  'outputConfig',
]);

/** `converse` and `converse-stream`: strict, as Bedrock is with fields it does not know. */
export function converse(modelId: string, action: string): Operation {
  return ({ body }) => {
    const fields = parseObject(body.toString('utf8'));
    if (fields === undefined) return refusal(400, 'The body is not valid JSON.');
    const stray = Object.keys(fields).find((name) => !FIELDS.has(name));
    if (stray !== undefined) return refusal(400, `#: extraneous key [${stray}] is not permitted`);
    const model = servedModel(modelId);
    if (model === undefined) return refusal(400, 'The provided model identifier is invalid.');
    const text = lastText(fields);
    if (typeof text !== 'string') return text;
    const limit = isObject(fields['inferenceConfig']) ? fields['inferenceConfig']['maxTokens'] : undefined;
    const asked = {
      model,
      stream: action === 'converse-stream',
      bodyBytes: body.length,
      maxTokens: typeof limit === 'number' ? limit : null,
      caches: body.includes('"cachePoint"'),
    };
    return { text, answer: (behaviour) => answerConverse(asked, behaviour) };
  };
}

function lastText({ messages }: Fields): string | Refusal {
  const said = objectsOf(messages);
  const user = said.findLast(({ role }) => role === 'user');
  if (user === undefined) return refusal(400, 'A conversation must start with a user message.');
  const blocks = user['content'];
  if (!Array.isArray(blocks)) return refusal(400, 'messages.0.content: expected a list of content blocks.');
  return contentText(blocks);
}

type Asked = {
  readonly model: NonNullable<ReturnType<typeof servedModel>>;
  readonly stream: boolean;
  readonly bodyBytes: number;
  readonly maxTokens: number | null;
  readonly caches: boolean;
};

function answerConverse(asked: Asked, behaviour: Seeded): Answer {
  const { model, stream, bodyBytes, maxTokens, caches } = asked;
  const plan = planTokens({ bodyBytes, maxOutputTokens: maxTokens, reasons: false, caches }, behaviour);
  const id = randomUUID();
  const input = plan.prompt - plan.cached;
  const usage = {
    inputTokens: input,
    outputTokens: plan.completion,
    totalTokens: plan.prompt + plan.completion,
    ...(caches ? { cacheReadInputTokens: plan.cached, cacheWriteInputTokens: 0 } : {}),
  };
  const pieces = planPieces(behaviour);
  const metrics = { latencyMs: 12 };
  const message = { role: 'assistant', content: [{ text: pieces.join('') }] };
  const whole = { output: { message }, stopReason: 'end_turn', usage, metrics };
  const meters = { input, ...(caches ? { cached: plan.cached } : {}), output: plan.completion };
  return {
    charge: { id, model: model.id, served: model.served, meters, words: [] },
    headers: { 'x-amzn-requestid': id },
    body: stream
      ? framed([...converseFrames(pieces, behaviour.usage === 'none' ? null : { usage, metrics })])
      : { kind: 'whole', contentType: 'application/json', bytes: Buffer.from(JSON.stringify(whole)) },
  };
}

function* converseFrames(pieces: readonly string[], metadata: object | null): Generator<StreamEvent> {
  const event = (type: string, payload: object, says = false): StreamEvent => ({
    text: frameText('event', type, payload),
    says,
  });
  yield event('messageStart', { role: 'assistant', p: 'abcd' });
  for (const text of pieces)
    yield event('contentBlockDelta', { contentBlockIndex: 0, delta: { text }, p: 'abc' }, true);
  yield event('contentBlockStop', { contentBlockIndex: 0, p: 'ab' });
  yield event('messageStop', { stopReason: 'end_turn', p: 'a' });
  if (metadata !== null) yield event('metadata', { ...metadata, p: 'abcdef' });
}

const ERROR_EVENT = frameText('exception', 'throttlingException', { message: 'Too many tokens, please wait.' });

/** Frames as the body of a stream. */
export function framed(events: readonly StreamEvent[]): Answer['body'] {
  return {
    kind: 'stream',
    contentType: 'application/vnd.amazon.eventstream',
    events,
    end: '',
    encoding: 'latin1',
    errorEvent: ERROR_EVENT,
    errorAlone: ERROR_EVENT,
  };
}
