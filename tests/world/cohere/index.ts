import { randomUUID } from 'node:crypto';
import type { Seeded } from '../behaviour.ts';
import {
  eventStream,
  isRefusal,
  wholeJson,
  type Answer,
  type Dialect,
  type Operation,
  type Received,
  type Refusal,
  type Stock,
  type StreamEvent,
} from '../dialect.ts';
import { contentText, objectsOf, parseObject, type Fields } from '../json-fields.ts';
import type { BilledMeters, ServedModel } from '../price-list.ts';
import { planPieces, planTokens } from '../token-plan.ts';
import { COHERE_MODELS } from './models.ts';

const CHAT = new Set([
  'model',
  'messages',
  'stream',
  'tools',
  'strict_tools',
  'tool_choice',
  'documents',
  'citation_options',
  'response_format',
  'safety_mode',
  'max_tokens',
  'stop_sequences',
  'temperature',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'k',
  'p',
  'logprobs',
  'thinking',
  'priority',
]);
const EMBED = new Set([
  'model',
  'texts',
  'images',
  'inputs',
  'input_type',
  'embedding_types',
  'max_tokens',
  'truncate',
  'output_dimension',
]);
const RERANK = new Set(['model', 'query', 'documents', 'top_n', 'max_tokens_per_doc']);

function refusal(status: number, message: string): Refusal {
  return { status, envelope: { id: randomUUID(), message } };
}

type Asked = { readonly fields: Fields; readonly model: string; readonly served: ServedModel };

function readAsked(
  received: Received,
  stock: Stock,
  { known, serves }: { known: ReadonlySet<string>; serves: string },
) {
  const fields = parseObject(received.body.toString('utf8'));
  if (fields === undefined) return refusal(400, 'invalid json syntax');
  const stray = Object.keys(fields).find((name) => !known.has(name));
  if (stray !== undefined) return refusal(400, `unknown field: parameter '${stray}' is not a valid field`);
  const model = String(fields['model']);
  const served = { ...COHERE_MODELS, ...stock.models }[model];
  if (served === undefined || (served.serves ?? 'chat') !== serves) return refusal(404, `model '${model}' not found`);
  return { fields, model, served };
}

const chat: Operation = (received, stock) => {
  const asked = readAsked(received, stock, { known: CHAT, serves: 'chat' });
  if (isRefusal(asked)) return asked;
  const user = objectsOf(asked.fields['messages']).findLast(({ role }) => role === 'user');
  if (user === undefined) return refusal(400, 'invalid request: messages must end with a user or a tool message');
  const text = contentText(user['content']);
  return { text, answer: (behaviour) => answerChat(asked, { received, behaviour }) };
};

function answerChat(
  { fields, model, served }: Asked,
  { received, behaviour }: { received: Received; behaviour: Seeded },
): Answer {
  const limit = fields['max_tokens'];
  const maxOutputTokens = typeof limit === 'number' ? limit : null;
  const plan = planTokens(
    { bodyBytes: received.body.length, maxOutputTokens, reasons: false, caches: false },
    behaviour,
  );
  const id = randomUUID();
  const billed = { input_tokens: plan.prompt, output_tokens: plan.completion };
  // What the model saw is more than what is billed.
  const tokens = { input_tokens: plan.prompt + 66, output_tokens: plan.completion + 2 };
  const told = { id, pieces: planPieces(behaviour), usage: { billed_units: billed, tokens, cached_tokens: 0 } };
  return {
    charge: { id, model, served, meters: { input: plan.prompt, output: plan.completion }, words: [] },
    headers: { 'x-trial-endpoint-call-limit': '40' },
    body:
      fields['stream'] === true
        ? eventStream([...chatEvents(told, behaviour)], ERROR_EVENT)
        : wholeJson({
            id,
            finish_reason: 'COMPLETE',
            message: { role: 'assistant', content: [{ type: 'text', text: told.pieces.join('') }] },
            usage: told.usage,
          }),
  };
}

type Told = { readonly id: string; readonly pieces: readonly string[]; readonly usage: object };

const ERROR_EVENT = event('message-end', { delta: { finish_reason: 'ERROR', error: 'The model failed.' } }).text;

function event(type: string, fields: object, says = false): StreamEvent {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}`, says };
}

function* chatEvents({ id, pieces, usage }: Told, { usage: manner }: Seeded): Generator<StreamEvent> {
  const empty = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  yield event('message-start', { id, delta: { message: empty } });
  yield event('content-start', { index: 0, delta: { message: { content: { type: 'text', text: '' } } } });
  for (const text of pieces)
    yield event('content-delta', { index: 0, delta: { message: { content: { text } } } }, true);
  yield event('content-end', { index: 0 });
  yield event('message-end', { id, delta: { finish_reason: 'COMPLETE', ...(manner === 'none' ? {} : { usage }) } });
}

function answered(asked: Asked, { id, meters, body }: { id: string; meters: BilledMeters; body: object }): Answer {
  const { model, served } = asked;
  return { charge: { id, model, served, meters, words: [] }, headers: {}, body: wholeJson(body) };
}

const embed: Operation = (received, stock) => {
  const asked = readAsked(received, stock, { known: EMBED, serves: 'embed' });
  if (isRefusal(asked)) return asked;
  const texts: unknown = asked.fields['texts'];
  if (!Array.isArray(texts) || asked.fields['input_type'] === undefined)
    return refusal(400, 'texts and input_type are needed');
  return {
    text: texts.join(' '),
    answer: () => {
      const id = randomUUID();
      const input = texts.join(' ').length;
      const meta = { api_version: { version: '2' }, billed_units: { input_tokens: input } };
      const embeddings = { float: texts.map(() => [0.1, 0.2]) };
      return answered(asked, {
        id,
        meters: { input },
        body: { id, embeddings, texts, meta, response_type: 'embeddings_by_type' },
      });
    },
  };
};

const DOCUMENTS_EACH = 100;

const rerank: Operation = (received, stock) => {
  const asked = readAsked(received, stock, { known: RERANK, serves: 'rerank' });
  if (isRefusal(asked)) return asked;
  const documents: unknown = asked.fields['documents'];
  if (!Array.isArray(documents)) return refusal(400, 'documents are needed');
  return {
    text: '',
    answer: () => {
      const id = randomUUID();
      const search = Math.ceil(documents.length / DOCUMENTS_EACH);
      const meta = { api_version: { version: '2' }, billed_units: { search_units: search } };
      const results = documents.map((_document, index) => ({ index, relevance_score: 0.5 }));
      return answered(asked, { id, meters: { search }, body: { id, results, meta } });
    },
  };
};

const ROUTES: ReadonlyMap<string, Operation> = new Map([
  ['/v2/chat', chat],
  ['/v2/embed', embed],
  ['/v2/rerank', rerank],
]);

/** Cohere, version 2: what is billed is less than what the model saw. */
export const cohere: Dialect = {
  name: 'cohere',
  owns: ({ path }) => path.startsWith('/v2/'),
  authorize: ({ headers }, apiKey) =>
    headers['authorization'] === `Bearer ${apiKey}` ? undefined : refusal(401, 'invalid api token'),
  operation: ({ method, path }) => (method === 'POST' ? ROUTES.get(path) : undefined),
  refusal,
};
