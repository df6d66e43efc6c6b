import { ApportionError } from '#terms';
import type { RequestBody, RequestEdit, WireRequest } from '../wire.ts';

/** Chat templates add a few tokens per message that no byte of the request stands for. */
const TEMPLATE_TOKENS = 1_000;

/** Content that costs input tokens by something other than its own bytes. */
const REMOTE_CONTENT = ['"image_url"', '"input_audio"', '"file_id"', '"file"', '"previous_response_id"', '"web_search_options"'];

export function readChatRequest(body: RequestBody): WireRequest {
  const model = readField(body, 'model', isString, 'a string such as "gpt-4o-mini"');
  if (model === undefined || model === '') {
    throw new ApportionError('invalid_field', 'The field model is missing.', { param: 'model', hint: 'GET /v1/models lists what can be called.' });
  }
  const options = readField(body, 'stream_options', isObjectOrNull, 'an object');
  return {
    model,
    stream: readField(body, 'stream', isBooleanOrNull, 'true or false') ?? false,
    wantsUsage: options?.['include_usage'] === true,
    maxOutputTokens:
      readField(body, 'max_completion_tokens', isCountOrNull, 'a whole number') ??
      readField(body, 'max_tokens', isCountOrNull, 'a whole number') ??
      null,
    choices: readField(body, 'n', isCountOrNull, 'a whole number') ?? 1,
    maxInputTokens: REMOTE_CONTENT.some((mark) => body.bytes.includes(mark)) ? null : body.bytes.length + TEMPLATE_TOKENS,
  };
}

/**
 * The body for the provider: members are copied byte for byte, ours are left out, and the model's name and the usage
 * option are put in. A stream is always asked for its usage; OpenAI sends none otherwise.
 */
export function writeChatRequest(body: RequestBody, edit: RequestEdit): Buffer {
  const parts: Buffer[] = [];
  let sawModel = false;
  let sawOptions = false;
  for (const member of body.members.values()) {
    if (edit.drop.has(member.key)) continue;
    if (member.key === 'model') {
      sawModel = true;
      parts.push(jsonMember('model', edit.model));
    } else if (member.key === 'stream_options' && edit.stream) {
      sawOptions = true;
      parts.push(jsonMember('stream_options', { ...parseObject(body, member), include_usage: true }));
    } else if (member.key === 'metadata' && edit.metadata.action !== 'keep') {
      if (edit.metadata.action === 'replace') parts.push(Buffer.from(`"metadata":${edit.metadata.json}`));
    } else {
      parts.push(body.bytes.subarray(member.start, member.end));
    }
  }
  if (!sawModel) parts.unshift(jsonMember('model', edit.model));
  if (edit.stream && !sawOptions) parts.push(jsonMember('stream_options', { include_usage: true }));
  return joinMembers(parts);
}

/** The texts of the messages, one after the other. */
export function chatRequestText(body: RequestBody): string {
  const member = body.members.get('messages');
  if (member === undefined) return '';
  const messages: unknown = parseValue(body, member);
  const texts: string[] = [];
  collectTexts(messages, texts);
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

function parseObject(body: RequestBody, member: { readonly valueStart: number; readonly end: number }): Record<string, unknown> {
  const value = parseValue(body, member);
  return isObjectOrNull(value) && value !== null ? value : {};
}

function parseValue(body: RequestBody, member: { readonly valueStart: number; readonly end: number }): unknown {
  return JSON.parse(body.bytes.toString('utf8', member.valueStart, member.end));
}

function readField<T>(body: RequestBody, name: string, accepts: (value: unknown) => value is T, shape: string): T | undefined {
  const member = body.members.get(name);
  if (member === undefined) return undefined;
  let value: unknown;
  try {
    value = parseValue(body, member);
  } catch (cause) {
    throw new ApportionError('body_not_json', `The field ${name} is not valid JSON.`, { param: name, cause });
  }
  if (!accepts(value)) throw new ApportionError('invalid_field', `The field ${name} must be ${shape}.`, { param: name });
  return value;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isBooleanOrNull(value: unknown): value is boolean | null {
  return typeof value === 'boolean' || value === null;
}

function isCountOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

function isObjectOrNull(value: unknown): value is Record<string, unknown> | null {
  return typeof value === 'object' && !Array.isArray(value);
}
