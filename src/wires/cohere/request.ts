import { ApportionError } from '#terms';
import { asObject, memberValue } from '../loose-json.ts';
import { COUNT, FLAG, readField, TEXT } from '../request-fields.ts';
import type { RequestBody, WireRequest } from '../wire.ts';

/** A chat template, with safety instructions, that no byte of the request stands for. It is not billed, but nobody promised that. */
const TEMPLATE_TOKENS = 2_000;

/** Content whose tokens do not follow from its bytes. */
const MEDIA = ['"image_url"', '"image"', '"images"'];

/** Letters as JSON escapes: they could spell any of the names above. */
const ESCAPED_LETTER = /\\u00[4-7]/;

export function readChatRequest(body: RequestBody): WireRequest {
  return {
    ...readCommon(body),
    stream: readField(body, 'stream', FLAG) ?? false,
    maxOutputTokens: readField(body, 'max_tokens', COUNT) ?? null,
    maxInputTokens: boundInput(body),
  };
}

export function readEmbedRequest(body: RequestBody): WireRequest {
  return { ...readCommon(body), stream: false, maxOutputTokens: 0, maxInputTokens: boundInput(body) };
}

/** Searches are not counted in tokens: how many a ranking is, its answer says. */
export function readRerankRequest(body: RequestBody): WireRequest {
  return { ...readCommon(body), stream: false, maxOutputTokens: 0, maxInputTokens: null };
}

function readCommon(body: RequestBody): Pick<WireRequest, 'model' | 'wantsUsage' | 'choices'> {
  const model = readField(body, 'model', TEXT);
  if (model === undefined || model === '') {
    throw new ApportionError('invalid_field', 'The field model is missing.', {
      param: 'model',
      hint: 'GET /v1/models lists what can be called.',
    });
  }
  return { model, wantsUsage: true, choices: 1 };
}

function boundInput({ bytes }: RequestBody): number | null {
  const elsewhere = MEDIA.some((name) => bytes.includes(name)) || ESCAPED_LETTER.test(bytes.toString('latin1'));
  return elsewhere ? null : bytes.length + TEMPLATE_TOKENS;
}

const WRITTEN = ['messages', 'tools', 'documents', 'texts', 'inputs', 'query'];

const NO_TEXT: ReadonlySet<string> = new Set(['type', 'role', 'id', 'tool_call_id', 'image_url', 'url']);

/** What the caller wrote, one text after the other. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of WRITTEN) collectTexts(memberValue(body.bytes, body.members.get(name)), texts);
  return texts.join('\n');
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTexts(item, texts);
  else {
    for (const [key, item] of Object.entries(asObject(value) ?? {})) if (!NO_TEXT.has(key)) collectTexts(item, texts);
  }
}
