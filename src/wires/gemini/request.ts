import { ApportionError } from '#terms';
import { asObject, asObjects, memberValue } from '../loose-json.ts';
import type { OutputLimit, RequestBody, RequestEdit, WireRequest } from '../wire.ts';

/** A chat template adds a few tokens per turn that no byte of the request stands for. */
const TEMPLATE_TOKENS = 1_000;

/** Parts that cost input tokens by something other than their own bytes. */
const MEDIA = ['"inlineData"', '"inline_data"', '"fileData"', '"file_data"'];

/** Letters and the underscore as JSON escapes: they could spell any of the names above. */
const ESCAPED_LETTERS = ['\\u004', '\\u005', '\\u006', '\\u007'];

/** What a turn may carry beside contents, without a token that its bytes do not bound. */
const PLAIN_TOOLS = new Set(['functionDeclarations', 'function_declarations']);

export function readGenerateRequest(body: RequestBody): WireRequest {
  const settings = asObject(readEither(body, 'generationConfig', 'generation_config')) ?? {};
  return {
    model: readModel(body),
    stream: body.target.action === 'streamGenerateContent',
    // Google shows usage in every chunk, whoever asks.
    wantsUsage: true,
    maxOutputTokens: readCount(settings, 'maxOutputTokens', 'max_output_tokens'),
    choices: readCount(settings, 'candidateCount', 'candidate_count') ?? 1,
    maxInputTokens: boundInput(body),
  };
}

/** Embeddings and token counts: input only, never a stream. */
export function readInputOnlyRequest(body: RequestBody): WireRequest {
  return {
    model: readModel(body),
    stream: false,
    wantsUsage: true,
    maxOutputTokens: 0,
    choices: 1,
    maxInputTokens: boundInput(body),
  };
}

function readModel({ target }: RequestBody): string {
  if (target.model !== '') return target.model;
  throw new ApportionError('invalid_field', 'The path names no model.', {
    param: 'model',
    hint: 'Call /v1beta/models/{model}:generateContent; GET /v1/models lists what can be called.',
  });
}

function boundInput(body: RequestBody): number | null {
  const { bytes, members } = body;
  if (members.has('cachedContent') || members.has('cached_content')) return null;
  if (MEDIA.some((name) => bytes.includes(name))) return null;
  if (bytes.includes('\\u00') && ESCAPED_LETTERS.some((escape) => bytes.includes(escape))) return null;
  const tools = valueOf(body, 'tools');
  const plain = asObjects(tools).every((tool) => Object.keys(tool).every((name) => PLAIN_TOOLS.has(name)));
  return plain && (tools === undefined || Array.isArray(tools)) ? bytes.length + TEMPLATE_TOKENS : null;
}

/** Google takes each field in both spellings. Which of the two it would read is not said, so both are refused. */
function readEither(body: RequestBody, camel: string, snake: string): unknown {
  const { members } = body;
  if (members.has(camel) && members.has(snake)) {
    throw new ApportionError('duplicate_field', `The field ${camel} is there twice, also as ${snake}.`, {
      param: camel,
      hint: 'Send it once.',
    });
  }
  return valueOf(body, members.has(camel) ? camel : snake);
}

function readCount(settings: Readonly<Record<string, unknown>>, camel: string, snake: string): number | null {
  const values = [settings[camel], settings[snake]].filter((value) => value !== undefined && value !== null);
  if (values.length === 0) return null;
  const counts = values.map((value) => {
    // Protobuf's JSON takes a number as text as well.
    const count = typeof value === 'string' ? Number(value) : value;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
    throw new ApportionError('invalid_field', `The field generationConfig.${camel} must be a whole number.`, {
      param: `generationConfig.${camel}`,
    });
  });
  return Math.max(...counts);
}

/**
 * The body for the provider: members are copied byte for byte and ours are left out. The model stands in the path, which
 * the gateway writes; where the body repeats it, it must be the same.
 */
export function writeRequest(body: RequestBody, edit: RequestEdit): Buffer {
  if (body.members.size === 0) return body.bytes;
  const name = `models/${edit.model}`;
  const parts: Buffer[] = [];
  for (const member of body.members.values()) {
    // Google knows no `metadata` and refuses what it does not know: whatever it holds was meant for us.
    if (edit.drop.has(member.key) || member.key === 'metadata') continue;
    if (edit.outputLimit !== undefined && CONFIGS.has(member.key)) continue;
    const nested = REPEATS_MODEL.get(member.key);
    const renamed = nested?.(valueOf(body, member.key), name);
    parts.push(
      renamed === undefined
        ? body.bytes.subarray(member.start, member.end)
        : Buffer.from(`${JSON.stringify(member.key)}:${JSON.stringify(renamed)}`),
    );
  }
  if (edit.outputLimit !== undefined) parts.push(limitedConfig(body, edit.outputLimit));
  return joinMembers(parts);
}

const CONFIGS: ReadonlySet<string> = new Set(['generationConfig', 'generation_config']);

const LIMITS_OUTPUT = ['maxOutputTokens', 'max_output_tokens'];

/** Inside the generation's settings, in the spelling that is there. */
export function outputLimitNames(body: RequestBody): readonly string[] {
  const settings = asObject(readEither(body, 'generationConfig', 'generation_config')) ?? {};
  const given = LIMITS_OUTPUT.filter((name) => settings[name] !== undefined);
  return given.length > 0 ? given : ['maxOutputTokens'];
}

function limitedConfig(body: RequestBody, { names, tokens }: OutputLimit): Buffer {
  const name = [...CONFIGS].find((one) => body.members.has(one)) ?? 'generationConfig';
  const limits = Object.fromEntries(names.map((one) => [one, tokens]));
  return Buffer.from(`${JSON.stringify(name)}:${JSON.stringify({ ...asObject(valueOf(body, name)), ...limits })}`);
}

/** What replaces a member that repeats the model; undefined where it stays as it came. */
type Rename = (value: unknown, model: string) => unknown;

const renameInside: Rename = (value, model) => {
  const object = asObject(value);
  return typeof object?.['model'] === 'string' && object['model'] !== model ? { ...object, model } : undefined;
};

const REPEATS_MODEL: ReadonlyMap<string, Rename> = new Map<string, Rename>([
  ['model', (value, model) => (value === model ? undefined : model)],
  ['generateContentRequest', renameInside],
  ['generate_content_request', renameInside],
  [
    'requests',
    (value, model) => {
      if (!Array.isArray(value)) return undefined;
      const renamed = value.map((item: unknown) => renameInside(item, model));
      return renamed.some((item) => item !== undefined)
        ? value.map((item: unknown, index) => renamed[index] ?? item)
        : undefined;
    },
  ],
]);

const NOT_WRITTEN_BY_THE_CALLER = new Set(['data', 'fileUri', 'file_uri', 'mimeType', 'mime_type', 'role', 'model']);
const TEXT_MEMBERS = [
  'systemInstruction',
  'system_instruction',
  'contents',
  'content',
  'requests',
  'generateContentRequest',
  'tools',
];

/** What the caller wrote, one text after the other: instructions, turns, results and declarations of tools. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of TEXT_MEMBERS) collectTexts(valueOf(body, name), texts);
  return texts.join('\n');
}

function collectTexts(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTexts(item, texts);
  else {
    for (const [key, item] of Object.entries(asObject(value) ?? {}))
      if (!NOT_WRITTEN_BY_THE_CALLER.has(key)) collectTexts(item, texts);
  }
}

function valueOf({ bytes, members }: RequestBody, name: string): unknown {
  return memberValue(bytes, members.get(name));
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
