import { countTokens } from '../anthropic/count-tokens.ts';
import { messages } from '../anthropic/messages.ts';
import { isRefusal, type Dialect, type Operation, type Received, type Refusal } from '../dialect.ts';
import { gemini } from '../gemini/index.ts';
import { refusal } from '../gemini/refusals.ts';
import { parseObject } from '../json-fields.ts';
import { VERTEX_MODELS } from './models.ts';

export const VERTEX_PROJECT = 'a-project';

const PATH = /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/(google|anthropic)\/models\/([^/:]+):(\w+)$/;

function authorize({ headers }: Received, apiKey: string, tokens: ReadonlySet<string>): Refusal | undefined {
  const token = headers['authorization']?.replace(/^Bearer /, '');
  if (token !== undefined)
    return tokens.has(token) ? undefined : refusal(401, 'Request had invalid authentication credentials.');
  return headers['x-goog-api-key'] === apiKey
    ? undefined
    : refusal(401, 'Request is missing required authentication credential.');
}

/** Claude's own body, with its version in it and its model in the path. */
function claude({ model, action, location }: { model: string; action: string; location: string }): Operation {
  return async (received, stock) => {
    const fields = parseObject(received.body.toString('utf8'));
    if (fields === undefined) return refusal(400, 'Invalid JSON payload received.');
    const { anthropic_version: version, ...message } = fields;
    if (version !== 'vertex-2023-10-16') return refusal(400, 'anthropic_version: Field required');
    const models = { ...stock.models, ...VERTEX_MODELS };
    if (model === 'count-tokens') {
      return countTokens({ ...received, body: Buffer.from(JSON.stringify(message)) }, { ...stock, models });
    }
    if ('model' in message) return refusal(400, 'model: Extra inputs are not permitted');
    if ((message['stream'] === true) !== (action === 'streamRawPredict')) return refusal(400, 'stream: wrong method');
    const body = Buffer.from(JSON.stringify({ ...message, model }));
    const prepared = await messages({ ...received, body }, { ...stock, models });
    if (isRefusal(prepared)) return prepared;
    return {
      text: prepared.text,
      answer: (behaviour) => {
        const answer = prepared.answer(behaviour);
        if (isRefusal(answer) || answer.charge === null) return answer;
        return { ...answer, charge: { ...answer.charge, words: [location] } };
      },
    };
  };
}

/** Gemini and Claude under a project and a location. */
export const vertex: Dialect = {
  name: 'vertex',
  owns: ({ path }) => path.startsWith('/v1/projects/'),
  authorize,
  operation: (received) => {
    const [, project, location = '', publisher, model = '', action = ''] = PATH.exec(received.path) ?? [];
    if (received.method !== 'POST' || project !== VERTEX_PROJECT) return undefined;
    if (publisher === 'anthropic') {
      return /^(?:raw|streamRaw)Predict$/.test(action)
        ? claude({ model: decodeURIComponent(model), action, location })
        : undefined;
    }
    const meant = { ...received, path: `/v1beta/models/${model}:${action}` };
    const operation = gemini.operation(meant);
    return operation === undefined ? undefined : (_received, stock) => operation(meant, stock);
  },
  refusal,
};
