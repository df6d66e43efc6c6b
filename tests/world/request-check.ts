import { SERVED_MODELS, type Operation, type ServedModel } from './bill.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

/** A request of any route, as the answer needs it. */
export type ModelRequest = {
  readonly operation: Operation;
  readonly model: string;
  readonly served: ServedModel;
  /** Where behaviours are looked for: the last user message, or the last prompt or input. */
  readonly text: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly includeObfuscation: boolean;
  readonly maxOutputTokens: number | null;
  /** How many texts or vectors the answer holds. */
  readonly choices: number;
  /** Embeddings only: length of a vector, and whether it comes as base64. */
  readonly dimensions: number;
  readonly base64: boolean;
};

/** OpenAI's error envelope and the status it travels with. */
export type Refusal = {
  readonly status: number;
  readonly error: { message: string; type: string; param: string | null; code: string | null };
};

const METADATA_PAIRS = 16;
const METADATA_KEY_CHARS = 64;
const METADATA_VALUE_CHARS = 512;
const EMBEDDING_DIMENSIONS = 1536;
/** What a legacy completion writes at most when the request does not say. */
const COMPLETION_TOKENS = 16;

export type CheckOptions = { readonly models?: Readonly<Record<string, ServedModel>> };

type Fields = Readonly<Record<string, unknown>>;

export function refusal(status: number, message: string, detail: { param?: string; code?: string } = {}): Refusal {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  return { status, error: { message, type, param: detail.param ?? null, code: detail.code ?? null } };
}

export function checkAuthorization(header: string | undefined, apiKey: string): Refusal | undefined {
  if (header === undefined) {
    return refusal(401, "You didn't provide an API key. You need to provide your API key in an Authorization header.");
  }
  if (header === `Bearer ${apiKey}`) return undefined;
  return refusal(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

/** Reads a request as strictly as OpenAI does. A `Refusal` is what OpenAI would answer. */
export function checkRequest(operation: Operation, body: string, options: CheckOptions): ModelRequest | Refusal {
  const fields = parseObject(body);
  if (fields === undefined) return refusal(400, 'We could not parse the JSON body of your request.');
  for (const name of Object.keys(fields)) {
    if (!REQUEST_FIELDS[operation].has(name)) return unknownParameter(name);
  }
  const metadata = checkMetadata(fields['metadata']);
  if (metadata !== undefined) return metadata;
  const stream = checkStream(fields);
  if ('error' in stream) return stream;
  const model = checkModel(fields['model'], operation, options);
  if ('error' in model) return model;
  const content = READ_CONTENT[operation](fields, model.served);
  if ('error' in content) return content;
  return { operation, ...model, ...stream, dimensions: 0, base64: false, ...content };
}

function checkModel(
  name: unknown,
  operation: Operation,
  options: CheckOptions,
): Pick<ModelRequest, 'model' | 'served'> | Refusal {
  if (typeof name !== 'string') return refusal(400, 'you must provide a model parameter');
  const served = { ...SERVED_MODELS, ...options.models }[name];
  if (served === undefined) {
    const message = `The model \`${name}\` does not exist or you do not have access to it.`;
    return refusal(404, message, { code: 'model_not_found' });
  }
  if ((served.serves ?? 'chat') === operation) return { model: name, served };
  return refusal(404, `The model ${name} is not supported in the v1/${operation} endpoint.`, { param: 'model' });
}

type Content = Pick<ModelRequest, 'text' | 'maxOutputTokens' | 'choices'> &
  Partial<Pick<ModelRequest, 'dimensions' | 'base64'>>;

const READ_CONTENT: Readonly<Record<Operation, (fields: Fields, served: ServedModel) => Content | Refusal>> = {
  chat: readChat,
  completions: readCompletion,
  embeddings: readEmbedding,
};

function readChat(fields: Fields, served: ServedModel): Content | Refusal {
  const text = lastUserText(fields['messages']);
  if (typeof text !== 'string') return text;
  if (served.reasons && fields['max_tokens'] !== undefined) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return refusal(400, message, { param: 'max_tokens', code: 'unsupported_parameter' });
  }
  const limit = fields['max_completion_tokens'] ?? fields['max_tokens'];
  return { text, maxOutputTokens: typeof limit === 'number' ? limit : null, choices: countOf(fields['n'], 1) };
}

function readCompletion(fields: Fields): Content | Refusal {
  const prompts = readTexts(fields['prompt'], 'prompt');
  if ('error' in prompts) return prompts;
  return {
    text: prompts.at(-1) ?? '',
    maxOutputTokens: countOf(fields['max_tokens'], COMPLETION_TOKENS),
    choices: prompts.length * countOf(fields['n'], 1),
  };
}

function readEmbedding(fields: Fields): Content | Refusal {
  const inputs = readTexts(fields['input'], 'input');
  if ('error' in inputs) return inputs;
  const format = fields['encoding_format'] ?? 'float';
  if (format !== 'float' && format !== 'base64') {
    return refusal(400, "Invalid 'encoding_format': expected 'float' or 'base64'.", { param: 'encoding_format' });
  }
  return {
    text: inputs.at(-1) ?? '',
    maxOutputTokens: 0,
    choices: inputs.length,
    dimensions: countOf(fields['dimensions'], EMBEDDING_DIMENSIONS),
    base64: format === 'base64',
  };
}

/** A text, a list of texts, a list of token numbers, or a list of such lists; as texts, tokens being ''. */
function readTexts(value: unknown, param: 'prompt' | 'input'): readonly string[] | Refusal {
  if (value === undefined) {
    const message = `you must provide a${param === 'input' ? 'n input' : ' prompt'} parameter`;
    return refusal(400, message, { param });
  }
  if (typeof value === 'string' && value !== '') return [value];
  const isToken = (item: unknown): boolean => Number.isSafeInteger(item);
  if (Array.isArray(value) && value.length > 0) {
    if (value.every(isToken)) return [''];
    const texts = value.map((item: unknown) => (Array.isArray(item) && item.every(isToken) ? '' : item));
    if (texts.every((item) => typeof item === 'string')) return texts;
  }
  return refusal(400, `'$.${param}' is invalid. Please check the API reference.`, { param });
}

function countOf(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownParameter(name: string): Refusal {
  return refusal(400, `Unknown parameter: '${name}'.`, { param: name, code: 'unknown_parameter' });
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

type StreamFields = Pick<ModelRequest, 'stream' | 'includeUsage' | 'includeObfuscation'>;

function checkStream(fields: Fields): StreamFields | Refusal {
  const stream = fields['stream'] === true;
  const options = fields['stream_options'];
  if (options === undefined || options === null) return { stream, includeUsage: false, includeObfuscation: true };
  const param = 'stream_options';
  if (!stream)
    return refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", { param });
  if (!isObject(options)) return refusal(400, "Invalid type for 'stream_options': expected an object.", { param });
  for (const name of Object.keys(options)) {
    if (name !== 'include_usage' && name !== 'include_obfuscation') return unknownParameter(`${param}.${name}`);
  }
  return {
    stream,
    includeUsage: options['include_usage'] === true,
    includeObfuscation: options['include_obfuscation'] !== false,
  };
}

function lastUserText(messages: unknown): string | Refusal {
  const param = 'messages';
  if (!Array.isArray(messages)) {
    return refusal(400, "Missing required parameter: 'messages'.", { param, code: 'missing_required_parameter' });
  }
  let text = '';
  for (const item of messages) {
    if (!isObject(item) || typeof item['role'] !== 'string') {
      return refusal(400, "Invalid 'messages': expected objects with a role.", { param, code: 'invalid_type' });
    }
    if (item['role'] === 'user') text = typeof item['content'] === 'string' ? item['content'] : '';
  }
  if (messages.length > 0) return text;
  return refusal(400, "Invalid 'messages': empty array.", { param, code: 'empty_array' });
}
