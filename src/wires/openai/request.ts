import { ApportionError } from '#terms';
import type { RequestBody, RequestEdit, WireRequest } from '../wire.ts';

/** Chat templates add a few tokens per message that no byte of the request stands for. */
const TEMPLATE_TOKENS = 1_000;

/** Content that costs input tokens by something other than its own bytes. */
const REMOTE_CONTENT = [
  '"image_url"',
  '"input_audio"',
  '"file_id"',
  '"file"',
  '"previous_response_id"',
  '"web_search_options"',
];

export function readChatRequest(body: RequestBody): WireRequest {
  return {
    ...readCommon(body),
    maxOutputTokens: readField(body, 'max_completion_tokens', COUNT) ?? readField(body, 'max_tokens', COUNT) ?? null,
    choices: readField(body, 'n', COUNT) ?? 1,
  };
}

/** What a legacy completion writes when the request sets no limit (OpenAI API reference, `max_tokens`). */
const COMPLETION_DEFAULT_TOKENS = 16;

export function readCompletionRequest(body: RequestBody): WireRequest {
  const prompts = Math.max(1, promptCount(body));
  const answers = Math.max(readField(body, 'n', COUNT) ?? 1, readField(body, 'best_of', COUNT) ?? 1);
  return {
    ...readCommon(body),
    maxOutputTokens: readField(body, 'max_tokens', COUNT) ?? COMPLETION_DEFAULT_TOKENS,
    // Every candidate of `best_of` is billed, also those that are not returned.
    choices: prompts * answers,
  };
}

export function readEmbeddingRequest(body: RequestBody): WireRequest {
  return { ...readCommon(body), stream: false, wantsUsage: false, maxOutputTokens: 0, choices: 1 };
}

type Common = Pick<WireRequest, 'model' | 'stream' | 'wantsUsage' | 'maxInputTokens'>;

function readCommon(body: RequestBody): Common {
  const model = readField(body, 'model', TEXT);
  if (model === undefined || model === '') {
    throw new ApportionError('invalid_field', 'The field model is missing.', {
      param: 'model',
      hint: 'GET /v1/models lists what can be called.',
    });
  }
  const options = readField(body, 'stream_options', OBJECT);
  const remote = REMOTE_CONTENT.some((mark) => body.bytes.includes(mark));
  return {
    model,
    stream: readField(body, 'stream', FLAG) ?? false,
    wantsUsage: options?.['include_usage'] === true,
    maxInputTokens: remote ? null : body.bytes.length + TEMPLATE_TOKENS,
  };
}

/** A prompt is a text, a list of token numbers, or a list of either. */
function promptCount(body: RequestBody): number {
  const member = body.members.get('prompt');
  const prompt: unknown = member === undefined ? undefined : parseValue(body, member);
  return Array.isArray(prompt) && prompt.some((item) => typeof item !== 'number') ? prompt.length : 1;
}

/**
 * The body for the provider: members are copied byte for byte, ours are left out, and the model's name and the usage
 * option are put in. A stream is always asked for its usage; OpenAI sends none otherwise.
 */
export function writeRequest(body: RequestBody, edit: RequestEdit): Buffer {
  const parts: Buffer[] = [];
  let sawModel = false;
  let sawOptions = false;
  for (const member of body.members.values()) {
    if (edit.drop.has(member.key)) continue;
    if (member.key === 'model') {
      sawModel = true;
      parts.push(jsonMember('model', edit.model));
    } else if (member.key === 'stream_options' && edit.askUsage) {
      sawOptions = true;
      parts.push(jsonMember('stream_options', { ...parseObject(body, member), include_usage: true }));
    } else if (member.key === 'metadata' && edit.metadata.action !== 'keep') {
      if (edit.metadata.action === 'replace') parts.push(Buffer.from(`"metadata":${edit.metadata.json}`));
    } else {
      parts.push(body.bytes.subarray(member.start, member.end));
    }
  }
  if (!sawModel) parts.unshift(jsonMember('model', edit.model));
  if (edit.askUsage && !sawOptions) parts.push(jsonMember('stream_options', { include_usage: true }));
  return joinMembers(parts);
}

/** What the caller wrote, whatever the route calls it, one text after the other. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of ['messages', 'prompt', 'suffix', 'input']) {
    const member = body.members.get(name);
    if (member !== undefined) collectTexts(parseValue(body, member), texts);
  }
  return texts.join('\n');
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') {
    // A data URL is an image or a file, not text: its tokens do not follow from its characters.
    if (!value.startsWith('data:')) texts.push(value);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collectTexts(item, texts);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collectTexts(item, texts);
  }
}

const COMMA = Buffer.from(',');
const OPEN = Buffer.from('{');
const CLOSE = Buffer.from('}');

function joinMembers(members: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [OPEN];
  for (const [index, member] of members.entries()) {
    if (index > 0) pieces.push(COMMA);
    pieces.push(member);
  }
  pieces.push(CLOSE);
  return Buffer.concat(pieces);
}

function jsonMember(key: string, value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
}

function parseObject(
  body: RequestBody,
  member: { readonly valueStart: number; readonly end: number },
): Record<string, unknown> {
  const value = parseValue(body, member);
  return isObjectOrNull(value) && value !== null ? value : {};
}

function parseValue(body: RequestBody, member: { readonly valueStart: number; readonly end: number }): unknown {
  return JSON.parse(body.bytes.toString('utf8', member.valueStart, member.end));
}

type Shape<T> = { readonly accepts: (value: unknown) => value is T; readonly shape: string };

function readField<T>(body: RequestBody, name: string, { accepts, shape }: Shape<T>): T | undefined {
  const member = body.members.get(name);
  if (member === undefined) return undefined;
  let value: unknown;
  try {
    value = parseValue(body, member);
  } catch (cause) {
    throw new ApportionError('body_not_json', `The field ${name} is not valid JSON.`, { param: name, cause });
  }
  if (!accepts(value))
    throw new ApportionError('invalid_field', `The field ${name} must be ${shape}.`, { param: name });
  return value;
}

const TEXT: Shape<string> = {
  accepts: (value) => typeof value === 'string',
  shape: 'a string such as "gpt-4o-mini"',
};

const FLAG: Shape<boolean | null> = {
  accepts: (value) => typeof value === 'boolean' || value === null,
  shape: 'true or false',
};

const COUNT: Shape<number | null> = {
  accepts: (value): value is number | null =>
    value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0),
  shape: 'a whole number',
};

const OBJECT: Shape<Record<string, unknown> | null> = { accepts: isObjectOrNull, shape: 'an object' };

function isObjectOrNull(value: unknown): value is Record<string, unknown> | null {
  return typeof value === 'object' && !Array.isArray(value);
}
