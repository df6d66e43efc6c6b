import { randomBytes } from 'node:crypto';
import type { Received, Refusal, Stock } from '../dialect.ts';
import { contentText, isObject, objectsOf, parseObject, type Fields } from '../json-fields.ts';
import type { ServedModel } from '../price-list.ts';
import { ANTHROPIC_MODELS } from './models.ts';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function makeRequestId(): string {
  return `req_${randomBytes(12).toString('hex')}`;
}

/** Anthropic's error envelope. */
export function refusal(status: number, message: string): Refusal {
  const requestId = makeRequestId();
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return {
    status,
    envelope: { type: 'error', error: { type, message }, request_id: requestId },
    headers: { 'request-id': requestId },
  };
}

/** Newer clients send the key as a bearer token, older ones in `x-api-key`; the version is as much a condition. */
export function checkHeaders({ headers }: Received, apiKey: string): Refusal | undefined {
  const bearer = headers['authorization']?.replace(/^Bearer /, '');
  const key = headers['x-api-key'] ?? bearer;
  if (key === undefined) return refusal(401, 'x-api-key header is required');
  if (key !== apiKey) return refusal(401, 'invalid x-api-key');
  const version = headers['anthropic-version'];
  if (version === undefined) return refusal(400, 'anthropic-version: header is required');
  return /^\d{4}-\d{2}-\d{2}$/.test(version)
    ? undefined
    : refusal(400, `anthropic-version: "${version}" is not a valid version`);
}

export type Asked = {
  readonly fields: Fields;
  readonly model: string;
  readonly served: ServedModel;
  /** What the user wrote last. */
  readonly text: string;
};

export function readFields(received: Received, { known, stock }: { known: ReadonlySet<string>; stock: Stock }) {
  const fields = parseObject(received.body.toString('utf8'));
  if (fields === undefined) return refusal(400, 'The request body is not valid JSON');
  const stray = Object.keys(fields).find((name) => !known.has(name));
  if (stray !== undefined) return refusal(400, `${stray}: Extra inputs are not permitted`);
  return checkMetadata(fields['metadata']) ?? readModel(fields, stock);
}

function checkMetadata(metadata: unknown): Refusal | undefined {
  if (metadata === undefined) return undefined;
  if (!isObject(metadata)) return refusal(400, 'metadata: Input should be a valid dictionary');
  const stray = Object.keys(metadata).find((name) => name !== 'user_id');
  return stray === undefined ? undefined : refusal(400, `metadata.${stray}: Extra inputs are not permitted`);
}

function readModel(fields: Fields, { models }: Stock): Asked | Refusal {
  const { model, messages } = fields;
  if (typeof model !== 'string') return refusal(400, 'model: Field required');
  const served = { ...ANTHROPIC_MODELS, ...models }[model];
  if (served === undefined) return refusal(404, `model: ${model}`);
  const said = objectsOf(messages);
  if (said.length === 0) return refusal(400, 'messages: at least one message is required');
  if (said.some(({ role }) => role !== 'user' && role !== 'assistant')) {
    return refusal(400, "messages.0.role: Input should be 'user' or 'assistant'");
  }
  const text = contentText(said.findLast(({ role }) => role === 'user')?.['content']);
  return { fields, model, served, text };
}
