import {
  isRefusal,
  type Answer,
  type Dialect,
  type Operation,
  type Prepared,
  type Received,
  type Refusal,
} from '../dialect.ts';
import { parseObject } from '../json-fields.ts';
import { openai } from '../openai/index.ts';

/** What an operator deployed, by the names of their own. */
export const AZURE_DEPLOYMENTS: Readonly<Record<string, string>> = {
  'prod-chat': 'gpt-4o-mini',
  'prod-reasoning': 'gpt-5-mini',
  'prod-embed': 'text-embedding-3-small',
};

const API_VERSIONS: ReadonlySet<string> = new Set(['2024-10-21', '2025-04-01-preview']);

const V1 = /^\/openai\/v1(\/.*)$/;
const DEPLOYED = /^\/openai\/deployments\/([^/]+)(\/.*)$/;
const PLAIN = /^\/openai(\/(?:responses|files|batches).*)$/;

/** A prompt that Azure's filter stops. */
export const FILTERED = 'something that the filter stops';

function refusal(status: number, message: string, code: string = String(status)): Refusal {
  return { status, envelope: { error: { code, message, param: null, type: null } } };
}

function authorize({ headers }: Received, apiKey: string, tokens: ReadonlySet<string>): Refusal | undefined {
  const { authorization, 'api-key': key } = headers;
  if (key !== undefined && authorization !== undefined) return refusal(401, 'Send one credential.');
  if (key === apiKey || (authorization !== undefined && tokens.has(authorization.replace(/^Bearer /, ''))))
    return undefined;
  return refusal(401, 'Access denied due to invalid subscription key or wrong API endpoint.');
}

/** The same request as OpenAI would be sent it; a deployment's name in its place. */
function toOpenAi(received: Received): Received | Refusal {
  const { path, query } = received;
  const version = query.get('api-version');
  const v1 = V1.exec(path);
  if (v1 !== null) {
    if (version !== null) return refusal(400, 'api-version query parameter is not allowed when using /v1 path');
    return withModel({ ...received, path: `/v1${v1[1] ?? ''}` }, null);
  }
  if (version === null || !API_VERSIONS.has(version)) return refusal(404, 'Resource not found');
  const deployed = DEPLOYED.exec(path);
  if (deployed !== null)
    return withModel({ ...received, path: `/v1${deployed[2] ?? ''}` }, decodeURIComponent(deployed[1] ?? ''));
  const plain = PLAIN.exec(path);
  return plain === null
    ? refusal(404, 'Resource not found')
    : withModel({ ...received, path: `/v1${plain[1] ?? ''}` }, null);
}

function withModel(received: Received, deployment: string | null): Received | Refusal {
  if (received.method !== 'POST') return received;
  const fields = parseObject(received.body.toString('utf8'));
  if (fields === undefined) return received;
  const model = AZURE_DEPLOYMENTS[deployment ?? String(fields['model'])];
  if (model === undefined)
    return refusal(404, 'The API deployment for this resource does not exist.', 'DeploymentNotFound');
  return { ...received, body: Buffer.from(JSON.stringify({ ...fields, model })) };
}

const FILTER_RESULTS = { hate: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } };

/** The first chunk of a chat says what the filter found in the prompt, and nothing else. */
const PROMPT_CHUNK = `data: ${JSON.stringify({
  choices: [],
  created: 0,
  id: '',
  model: '',
  object: '',
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTER_RESULTS }],
})}`;

function filtered(prepared: Prepared): Prepared | Refusal {
  if (prepared.text.includes(FILTERED)) {
    const message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.";
    const innererror = {
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: { violence: { filtered: true, severity: 'high' } },
    };
    return {
      status: 400,
      envelope: { error: { message, type: null, param: 'prompt', code: 'content_filter', status: 400, innererror } },
    };
  }
  return {
    text: prepared.text,
    answer: (behaviour) => {
      const answer = prepared.answer(behaviour);
      return isRefusal(answer) ? answer : withFilterResults(answer);
    },
  };
}

function withFilterResults(answer: Answer): Answer {
  const { body } = answer;
  const headers = { ...answer.headers, 'apim-request-id': 'a-request', 'x-ms-region': 'Sweden Central' };
  if (body.kind === 'whole') return { ...answer, headers };
  return { ...answer, headers, body: { ...body, events: [{ text: PROMPT_CHUNK, says: false }, ...body.events] } };
}

/** Azure OpenAI with both of its APIs, over the same models as OpenAI. */
export const azure: Dialect = {
  name: 'azure',
  owns: ({ path }) => path.startsWith('/openai/'),
  authorize,
  operation: (received) => {
    const meant = toOpenAi(received);
    if (isRefusal(meant)) return () => meant;
    const operation = openai.operation(meant);
    if (operation === undefined) return undefined;
    const answers: Operation = async (_received, stock) => {
      const prepared = await operation(meant, stock);
      const isChat = meant.path === '/v1/chat/completions';
      return isRefusal(prepared) || !isChat ? prepared : filtered(prepared);
    };
    return answers;
  },
  refusal: (status, message) => refusal(status, message),
};
