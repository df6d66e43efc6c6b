import { randomUUID } from 'node:crypto';
import { messages } from '../anthropic/messages.ts';
import type { Seeded } from '../behaviour.ts';
import { isRefusal, type Answer, type Operation, type Received, type Refusal, type Stock } from '../dialect.ts';
import { contentText, isObject, objectsOf, parseObject, type Fields } from '../json-fields.ts';
import { planPieces, planTokens } from '../token-plan.ts';
import { framed } from './converse.ts';
import { frameText } from './frame.ts';
import { BEDROCK_MODELS, servedModel } from './models.ts';
import { refusal } from './refusals.ts';

const METRICS = 'amazon-bedrock-invocationMetrics';

/** `invoke` and `invoke-with-response-stream`: each maker's own body. */
export function invoke(modelId: string, action: string): Operation {
  return (received, stock) => {
    const fields = parseObject(received.body.toString('utf8'));
    if (fields === undefined) return refusal(400, 'Malformed input request, please reformat your input and try again.');
    const model = servedModel(modelId);
    if (model === undefined) return refusal(400, 'The provided model identifier is invalid.');
    const stream = action === 'invoke-with-response-stream';
    return model.id.includes('anthropic.')
      ? invokeClaude({ received, stock, fields, model: model.id, stream })
      : invokeNova({ received, fields, model, stream });
  };
}

type ClaudeCall = {
  readonly received: Received;
  readonly stock: Stock;
  readonly fields: Fields;
  readonly model: string;
  readonly stream: boolean;
};

/** Anthropic's own body, but for what the path and the version in the body say. */
async function invokeClaude({ received, stock, fields, model, stream }: ClaudeCall) {
  const { anthropic_version: version, anthropic_beta: _betas, ...message } = fields;
  if (version !== 'bedrock-2023-05-31') return refusal(400, 'anthropic_version: Field required');
  const stray = ['model', 'stream'].find((name) => name in message);
  if (stray !== undefined) return refusal(400, `${stray}: Extra inputs are not permitted`);
  const body = Buffer.from(JSON.stringify({ ...message, model, stream }));
  const models = { ...stock.models, ...BEDROCK_MODELS };
  const prepared = await messages({ ...received, body }, { ...stock, models });
  if (isRefusal(prepared)) return refusal(prepared.status, messageOf(prepared));
  return {
    text: prepared.text,
    answer: (behaviour: Seeded) => {
      const answer = prepared.answer(behaviour);
      return isRefusal(answer) ? answer : inFrames(answer);
    },
  };
}

function messageOf({ envelope }: Refusal): string {
  const error: unknown = 'error' in envelope ? envelope.error : undefined;
  return isObject(error) ? String(error['message']) : '';
}

function inFrames(answer: Answer): Answer {
  const { charge, body } = answer;
  const headers = { 'x-amzn-requestid': randomUUID(), ...countHeaders(charge?.meters ?? {}) };
  if (body.kind === 'whole') return { ...answer, headers };
  const events = body.events.map(({ text, says }) => {
    const event: Fields = JSON.parse(text.slice(text.indexOf('data: ') + 'data: '.length));
    const last = event['type'] === 'message_stop' ? { ...event, [METRICS]: countsOf(charge?.meters ?? {}) } : event;
    return { text: chunk(last), says };
  });
  return { ...answer, headers, body: framed(events) };
}

function chunk(event: object): string {
  return frameText('event', 'chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcd' });
}

type NovaCall = {
  readonly received: Received;
  readonly fields: Fields;
  readonly model: NonNullable<ReturnType<typeof servedModel>>;
  readonly stream: boolean;
};

function invokeNova({ received, fields, model, stream }: NovaCall) {
  const said = objectsOf(fields['messages']).findLast(({ role }) => role === 'user');
  const text = said === undefined ? JSON.stringify(fields['prompt']).slice(1, -1) : contentText(said['content']);
  return {
    text,
    answer: (behaviour: Seeded): Answer => {
      const question = { bodyBytes: received.body.length, maxOutputTokens: null, reasons: false, caches: false };
      const plan = planTokens(question, behaviour);
      const id = randomUUID();
      const meters = { input: plan.prompt, output: plan.completion };
      const pieces = planPieces(behaviour);
      const whole = { generation: pieces.join(''), stop_reason: 'stop' };
      const last = { generation: '', stop_reason: 'stop', [METRICS]: countsOf(meters) };
      return {
        charge: { id, model: model.id, served: model.served, meters, words: [] },
        headers: { 'x-amzn-requestid': id, ...(stream ? {} : countHeaders(meters)) },
        body: stream
          ? framed([
              ...pieces.map((generation) => ({ text: chunk({ generation }), says: true })),
              { text: chunk(last), says: false },
            ])
          : { kind: 'whole', contentType: 'application/json', bytes: Buffer.from(JSON.stringify(whole)) },
      };
    },
  };
}

type Meters = Readonly<Record<string, number>>;

function countsOf({ input = 0, output = 0 }: Meters): object {
  return { inputTokenCount: input, outputTokenCount: output, invocationLatency: 12, firstByteLatency: 3 };
}

function countHeaders({ input = 0, output = 0 }: Meters): Readonly<Record<string, string>> {
  return {
    'x-amzn-bedrock-input-token-count': String(input),
    'x-amzn-bedrock-output-token-count': String(output),
    'x-amzn-bedrock-invocation-latency': '12',
  };
}
