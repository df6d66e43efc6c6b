import { ApportionError } from '#terms';
import { joinMembers } from '../cloud-body.ts';
import { asObject, memberValue } from '../loose-json.ts';
import { COUNT, readField } from '../request-fields.ts';
import type { OutputLimit, RequestBody, RequestEdit, WireRequest } from '../wire.ts';

/** The instructions a model gets with tools, which no byte of the request stands for. */
const TEMPLATE_TOKENS = 2_000;

/** What costs input tokens by something other than its own bytes (Converse). */
const MEDIA = ['"image"', '"document"', '"video"', '"audio"', '"s3Location"', '"promptVariables"', '"systemTool"'];

/** Letters as JSON escapes: they could spell any of the names above. */
const ESCAPED_LETTER = /\\u00[4-7]/;

const STREAMS: ReadonlySet<string> = new Set(['converse-stream', 'invoke-with-response-stream']);

export function readConverseRequest(body: RequestBody): WireRequest {
  const settings = asObject(valueOf(body, 'inferenceConfig')) ?? {};
  const limit = settings['maxTokens'] ?? null;
  if (!COUNT.accepts(limit)) throw notACount('inferenceConfig.maxTokens');
  return { ...readCommon(body), maxOutputTokens: limit, maxInputTokens: boundConverse(body) };
}

/** Each maker's body has a limit of its own; Claude's is the one that is known here. */
export function readInvokeRequest(body: RequestBody): WireRequest {
  return { ...readCommon(body), maxOutputTokens: readField(body, 'max_tokens', COUNT) ?? null, maxInputTokens: null };
}

function readCommon({ target }: RequestBody): Pick<WireRequest, 'model' | 'stream' | 'wantsUsage' | 'choices'> {
  if (target.model === '') {
    throw new ApportionError('invalid_field', 'The path names no model.', {
      param: 'modelId',
      hint: 'Call /model/{modelId}/converse.',
    });
  }
  return { model: target.model, stream: STREAMS.has(target.action), wantsUsage: true, choices: 1 };
}

function boundConverse({ bytes }: RequestBody): number | null {
  const elsewhere = MEDIA.some((name) => bytes.includes(name)) || ESCAPED_LETTER.test(bytes.toString('latin1'));
  return elsewhere ? null : bytes.length + TEMPLATE_TOKENS;
}

function notACount(param: string): ApportionError {
  return new ApportionError('invalid_field', `The field ${param} must be a whole number.`, { param });
}

/** Inside `inferenceConfig`, whether it is there or not. */
export function converseLimitNames(): readonly string[] {
  return ['maxTokens'];
}

/** Members as they came, without ours; the model is in the path. */
export function writeConverse(body: RequestBody, edit: RequestEdit): Buffer {
  const { outputLimit } = edit;
  const replaced = outputLimit === undefined ? [] : ['inferenceConfig'];
  return writeMembers(body, edit, { replaced, added: outputLimit === undefined ? [] : [limited(body, outputLimit)] });
}

/** The body is the model's own: nothing but our fields is taken out of it. */
export function writeInvoke(body: RequestBody, edit: RequestEdit): Buffer {
  return writeMembers(body, edit, { replaced: [], added: [] });
}

type Changes = { readonly replaced: readonly string[]; readonly added: readonly Buffer[] };

function writeMembers(body: RequestBody, edit: RequestEdit, { replaced, added }: Changes): Buffer {
  const parts: Buffer[] = [];
  for (const member of body.members.values()) {
    if (edit.drop.has(member.key) || replaced.includes(member.key)) continue;
    if (member.key !== 'metadata' || edit.metadata.action === 'keep') {
      parts.push(body.bytes.subarray(member.start, member.end));
    } else if (edit.metadata.action === 'replace') {
      parts.push(Buffer.from(`"metadata":${edit.metadata.json}`));
    }
  }
  return joinMembers([...parts, ...added]);
}

function limited(body: RequestBody, { names, tokens }: OutputLimit): Buffer {
  const limits = Object.fromEntries(names.map((name) => [name, tokens]));
  const settings = { ...asObject(valueOf(body, 'inferenceConfig')), ...limits };
  return Buffer.from(`"inferenceConfig":${JSON.stringify(settings)}`);
}

const TEXT_MEMBERS = ['system', 'messages', 'toolConfig', 'prompt', 'inputText', 'tools'];

const NO_TEXT: ReadonlySet<string> = new Set(['bytes', 'data', 'format', 'role', 'type', 'toolUseId', 'signature']);

/** What the caller wrote, one text after the other. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of TEXT_MEMBERS) collectTexts(valueOf(body, name), texts);
  return texts.join('\n');
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTexts(item, texts);
  else {
    for (const [key, item] of Object.entries(asObject(value) ?? {})) if (!NO_TEXT.has(key)) collectTexts(item, texts);
  }
}

function valueOf({ bytes, members }: RequestBody, name: string): unknown {
  return memberValue(bytes, members.get(name));
}
