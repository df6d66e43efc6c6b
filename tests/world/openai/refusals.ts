import type { Received, Refusal, Stock } from '../dialect.ts';
import { isObject, parseObject, type Fields } from '../json-fields.ts';
import type { ServedModel } from '../price-list.ts';
import { COMPATIBLE_MODELS } from './compatible-models.ts';
import { OPENAI_MODELS } from './models.ts';

const METADATA_PAIRS = 16;
const METADATA_KEY_CHARS = 64;
const METADATA_VALUE_CHARS = 512;

/** OpenAI's error envelope. */
export function refusal(status: number, message: string, detail: { param?: string; code?: string } = {}): Refusal {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  const code = detail.code ?? (status === 429 ? 'rate_limit_exceeded' : null);
  return { status, envelope: { error: { message, type, param: detail.param ?? null, code } } };
}

export function checkAuthorization({ headers }: Received, apiKey: string): Refusal | undefined {
  const header = headers['authorization'];
  if (header === undefined) {
    return refusal(401, "You didn't provide an API key. You need to provide your API key in an Authorization header.");
  }
  if (header === `Bearer ${apiKey}`) return undefined;
  return refusal(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

export type Known = { readonly fields: Fields };

/** The body as an object that has no field the route does not take. */
export function readFields(received: Received, known: ReadonlySet<string>): Known | Refusal {
  const fields = parseObject(received.body.toString('utf8'));
  if (fields === undefined) return refusal(400, 'We could not parse the JSON body of your request.');
  return checkNames(fields, known) ?? checkMetadata(fields['metadata']) ?? { fields };
}

function checkNames(fields: Fields, known: ReadonlySet<string>): Refusal | undefined {
  const stray = Object.keys(fields).find((name) => !known.has(name));
  return stray === undefined ? undefined : unknownParameter(stray);
}

export function unknownParameter(name: string): Refusal {
  return refusal(400, `Unknown parameter: '${name}'.`, { param: name, code: 'unknown_parameter' });
}

export type Chosen = { readonly model: string; readonly served: ServedModel };

/** `writer`: the route is one of those that every model without a route of its own answers on. */
export function chooseModel(name: unknown, { stock, serves }: { stock: Stock; serves: string }): Chosen | Refusal {
  if (typeof name !== 'string' || name === '') return refusal(400, 'you must provide a model parameter');
  const served = { ...OPENAI_MODELS, ...COMPATIBLE_MODELS, ...stock.models }[name];
  if (served === undefined) {
    const message = `The model \`${name}\` does not exist or you do not have access to it.`;
    return refusal(404, message, { code: 'model_not_found' });
  }
  const writes = serves === 'chat' || serves === 'responses';
  if (served.serves === serves || (served.serves === undefined && writes)) return { model: name, served };
  return refusal(404, `The model ${name} is not supported in the v1/${serves} endpoint.`, { param: 'model' });
}

function checkMetadata(metadata: unknown): Refusal | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  const wrong = (param: string, message: string, code: string) => refusal(400, message, { param, code });
  if (!isObject(metadata)) return wrong('metadata', "Invalid type for 'metadata': expected an object.", 'invalid_type');
  const pairs = Object.entries(metadata);
  if (pairs.length > METADATA_PAIRS) {
    const message = `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got ${pairs.length}.`;
    return wrong('metadata', message, 'object_above_max_properties');
  }
  for (const [key, value] of pairs) {
    const param = `metadata.${key}`;
    if (typeof value !== 'string')
      return wrong(param, `Invalid type for '${param}': expected a string.`, 'invalid_type');
    if (key.length > METADATA_KEY_CHARS || value.length > METADATA_VALUE_CHARS) {
      return wrong(param, `Invalid '${param}': string too long.`, 'string_above_max_length');
    }
  }
  return undefined;
}

/** A text, a list of texts, a list of token numbers, or a list of such lists; as texts, tokens being ''. */
export function readTexts(value: unknown, param: 'prompt' | 'input'): { readonly texts: readonly string[] } | Refusal {
  if (value === undefined) {
    const message = `you must provide a${param === 'input' ? 'n input' : ' prompt'} parameter`;
    return refusal(400, message, { param });
  }
  if (typeof value === 'string' && value !== '') return { texts: [value] };
  const isToken = (item: unknown): boolean => Number.isSafeInteger(item);
  if (Array.isArray(value) && value.length > 0) {
    if (value.every(isToken)) return { texts: [''] };
    const texts = value.map((item: unknown) => (Array.isArray(item) && item.every(isToken) ? '' : item));
    if (texts.every((item) => typeof item === 'string')) return { texts };
  }
  return refusal(400, `'$.${param}' is invalid. Please check the API reference.`, { param });
}
