import { SERVED_MODELS, type ServedModel } from './bill.ts';

export type ChatMessage = { readonly role: string; readonly content: unknown };

export type ChatRequest = {
  readonly model: string;
  readonly served: ServedModel;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly includeObfuscation: boolean;
  readonly maxOutputTokens: number | null;
  readonly choices: number;
};

/** OpenAI's error envelope and the status it travels with. */
export type Refusal = {
  readonly status: number;
  readonly error: { message: string; type: string; param: string | null; code: string | null };
};

/** The fields of OpenAI's chat completions, from its API reference. Any other top-level field is refused there. */
const CHAT_FIELDS: ReadonlySet<string> = new Set([
  'messages',
  'model',
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'metadata',
  'modalities',
  'moderation',
  'n',
  'parallel_tool_calls',
  'prediction',
  'presence_penalty',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning_effort',
  'response_format',
  'safety_identifier',
  'seed',
  'service_tier',
  'stop',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'user',
  'verbosity',
  'web_search_options',
]);

const METADATA_PAIRS = 16;
const METADATA_KEY_CHARS = 64;
const METADATA_VALUE_CHARS = 512;

export type CheckOptions = { readonly models?: Readonly<Record<string, ServedModel>> };

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

/** Reads a chat request as strictly as OpenAI does. A `Refusal` is what OpenAI would answer. */
export function checkChatRequest(body: string, options: CheckOptions): ChatRequest | Refusal {
  const fields = parseObject(body);
  if (fields === undefined) return refusal(400, 'We could not parse the JSON body of your request.');
  for (const name of Object.keys(fields)) {
    if (!CHAT_FIELDS.has(name)) return unknownParameter(name);
  }
  const metadata = checkMetadata(fields['metadata']);
  if (metadata !== undefined) return metadata;
  const stream = checkStream(fields);
  if ('error' in stream) return stream;
  if (typeof fields['model'] !== 'string') return refusal(400, 'you must provide a model parameter');
  const served = { ...SERVED_MODELS, ...options.models }[fields['model']];
  if (served === undefined) {
    const message = `The model \`${fields['model']}\` does not exist or you do not have access to it.`;
    return refusal(404, message, { code: 'model_not_found' });
  }
  const messages = readMessages(fields['messages']);
  if ('error' in messages) return messages;
  if (served.reasons && fields['max_tokens'] !== undefined) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return refusal(400, message, { param: 'max_tokens', code: 'unsupported_parameter' });
  }
  const limit = fields['max_completion_tokens'] ?? fields['max_tokens'];
  return {
    model: fields['model'],
    served,
    messages,
    ...stream,
    maxOutputTokens: typeof limit === 'number' ? limit : null,
    choices: typeof fields['n'] === 'number' ? fields['n'] : 1,
  };
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

type StreamFields = Pick<ChatRequest, 'stream' | 'includeUsage' | 'includeObfuscation'>;

function checkStream(fields: Record<string, unknown>): StreamFields | Refusal {
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

function readMessages(value: unknown): readonly ChatMessage[] | Refusal {
  if (!Array.isArray(value)) {
    return refusal(400, "Missing required parameter: 'messages'.", {
      param: 'messages',
      code: 'missing_required_parameter',
    });
  }
  const messages: ChatMessage[] = [];
  for (const item of value) {
    if (!isObject(item) || typeof item['role'] !== 'string') {
      return refusal(400, "Invalid 'messages': expected objects with a role.", {
        param: 'messages',
        code: 'invalid_type',
      });
    }
    messages.push({ role: item['role'], content: item['content'] });
  }
  if (messages.length > 0) return messages;
  return refusal(400, "Invalid 'messages': empty array.", { param: 'messages', code: 'empty_array' });
}
