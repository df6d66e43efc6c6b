import { scanJsonObject, type JsonMember } from '#std';
import { ApportionError } from '#terms';
import { COUNT, FLAG, parseValue, readField, TEXT } from '../request-fields.ts';
import type { RequestBody, RequestEdit, WireRequest } from '../wire.ts';

/** The instructions a model gets with tools, thinking and structured outputs, which no byte of the request stands for. */
const TEMPLATE_TOKENS = 2_000;

/** An image costs by its pixels: at most 4,784 tokens (platform.claude.com, vision). Well compressed, it has fewer bytes. */
const IMAGE_TOKENS = 5_000;

/** Tools whose definition Anthropic adds: text editor, shell, memory, computer (tool use, pricing: up to 1,300 each). */
const CLIENT_TOOL_TOKENS = 2_000;

export function readMessageRequest(body: RequestBody): WireRequest {
  return {
    ...readCommon(body),
    stream: readField(body, 'stream', FLAG) ?? false,
    maxOutputTokens: readField(body, 'max_tokens', COUNT) ?? null,
    maxInputTokens: boundInput(body),
  };
}

/** Nothing of it is billed. */
export function readCountRequest(body: RequestBody): WireRequest {
  return { ...readCommon(body), stream: false, maxOutputTokens: 0, maxInputTokens: 0 };
}

/** Anthropic shows usage to everybody, and never writes more than one answer. */
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

/** Fields that let the provider read what is elsewhere, or sample more than once. */
const BEYOND_THE_REQUEST = ['mcp_servers', 'container', 'fallbacks', 'compaction', 'thread'];

/** Content blocks by what bounds them: `image` its size, the others nothing that is in the request. */
const BLOCKS = /"type"\s*:\s*"(url|file|container_upload|image)"|"(application\/pdf)"/g;

/** A tool that is Anthropic's own has a dated type; the caller's have none, or `custom`. */
const DATED_TOOLS = /"type"\s*:\s*"([a-z_]+?)_(?:\d{8})"|"(mcp_toolset)"/g;

/** A letter that no client needs to escape: it could spell any of the names above. */
const ESCAPED_LETTER = /\\u00[4-7]/;

/** Those of Anthropic's tools that the caller runs, at the price of their definition. */
const CLIENT_TOOLS: ReadonlySet<string> = new Set(['bash', 'text_editor', 'memory', 'computer']);

function boundInput(body: RequestBody): number | null {
  if (BEYOND_THE_REQUEST.some((name) => !isEmpty(memberText(body, name)))) return null;
  // A compaction is one more inference over all of it.
  if (memberText(body, 'context_management').includes('"compact_')) return null;
  const tools = memberText(body, 'tools');
  const blocks = `${memberText(body, 'messages')}${memberText(body, 'system')}`;
  if (ESCAPED_LETTER.test(tools) || ESCAPED_LETTER.test(blocks)) return null;
  let extra = TEMPLATE_TOKENS;
  for (const [, kind] of blocks.matchAll(BLOCKS)) {
    if (kind !== 'image') return null;
    extra += IMAGE_TOKENS;
  }
  for (const [, tool] of tools.matchAll(DATED_TOOLS)) {
    // The rest runs at the provider and feeds what it finds back in, or hides how large its definition is.
    if (tool === undefined || !CLIENT_TOOLS.has(tool)) return null;
    extra += CLIENT_TOOL_TOKENS;
  }
  return body.bytes.length + extra;
}

const EMPTY: ReadonlySet<string> = new Set(['', 'null', '[]', '{}']);

function isEmpty(text: string): boolean {
  return EMPTY.has(text);
}

/** One character per byte: what is looked for is ASCII, and quotes inside texts are escaped. */
function memberText(body: RequestBody, name: string): string {
  const member = body.members.get(name);
  return member === undefined ? '' : body.bytes.toString('latin1', member.valueStart, member.end);
}

/** Thinking has a budget of its own, which must stay below the limit: such a request is not touched. */
export function outputLimitNames(body: RequestBody): readonly string[] {
  return memberText(body, 'thinking').includes('"budget_tokens"') || !body.members.has('max_tokens')
    ? []
    : ['max_tokens'];
}

/**
 * The body for the provider: ours are left out, the model's name is put in, `metadata` keeps its `user_id` alone (Anthropic
 * refuses other fields in it), and every other byte stays as it came.
 */
export function writeRequest(body: RequestBody, edit: RequestEdit): Buffer {
  const { bytes } = body;
  const pieces: Buffer[] = [];
  let changed = false;
  let end: number | null = null;
  for (const member of body.members.values()) {
    const separator = bytes.subarray(end ?? 0, member.start);
    const value = editedValue(body, member, edit);
    changed ||= value !== undefined;
    // The brace stands before the first member, kept or not; a comma only between those that are kept.
    if (end === null || (value !== null && pieces.length > 1)) pieces.push(separator);
    if (value !== null)
      pieces.push(
        bytes.subarray(member.start, member.valueStart),
        value ?? bytes.subarray(member.valueStart, member.end),
      );
    end = member.end;
  }
  if (!changed) return bytes;
  return Buffer.concat([...pieces, bytes.subarray(end ?? 0)]);
}

/** What replaces a member's value: undefined when it stays, null when the member goes. */
function editedValue(body: RequestBody, member: JsonMember, edit: RequestEdit): Buffer | null | undefined {
  if (edit.drop.has(member.key)) return null;
  if (edit.outputLimit?.names.includes(member.key) === true) return Buffer.from(String(edit.outputLimit.tokens));
  if (member.key === 'model') {
    const model = Buffer.from(JSON.stringify(edit.model));
    return model.equals(body.bytes.subarray(member.valueStart, member.end)) ? undefined : model;
  }
  if (member.key !== 'metadata') return undefined;
  if (edit.metadata.action === 'drop') return null;
  const given =
    edit.metadata.action === 'replace'
      ? Buffer.from(edit.metadata.json)
      : body.bytes.subarray(member.valueStart, member.end);
  const kept = keepUserId(given);
  return kept === given && edit.metadata.action === 'keep' ? undefined : kept;
}

/** `given` itself where nothing is to be taken out of it, or it is no object, which is for the provider to judge. */
function keepUserId(given: Buffer): Buffer | null {
  const scan = scanJsonObject(given);
  if (!scan.ok || scan.members.every(({ key }) => key === 'user_id')) return given;
  const user = scan.members.find(({ key }) => key === 'user_id');
  if (user === undefined) return null;
  return Buffer.concat([Buffer.from('{'), given.subarray(user.start, user.end), Buffer.from('}')]);
}

/** What the caller wrote, tools included, one text after the other. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of ['system', 'messages', 'tools']) {
    const member = body.members.get(name);
    if (member !== undefined) collectTexts(parseValue(body, member), texts);
  }
  return texts.join('\n');
}

/** Strings that are no text: what things are, how they are signed, and the bytes of images and files. */
const NO_TEXT: ReadonlySet<string> = new Set(['type', 'role', 'signature', 'media_type', 'data', 'encrypted_content']);

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTexts(item, texts);
  else if (typeof value === 'object' && value !== null) {
    // A document in plain text is text, though it stands where others have their bytes.
    const plain = 'media_type' in value && value.media_type === 'text/plain';
    for (const [key, item] of Object.entries(value))
      if (!NO_TEXT.has(key) || (plain && key === 'data')) collectTexts(item, texts);
  }
}
