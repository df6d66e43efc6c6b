import { ApportionError } from '#terms';
import type { RequestBody, WireRequest } from '../wire.ts';
import { memberValue } from '../loose-json.ts';
import { COUNT, FLAG, isGiven, OBJECT, OPTIONAL_TEXT, readField, TEXT } from '../request-fields.ts';

/** Chat templates add a few tokens per message that no byte of the request stands for. */
const TEMPLATE_TOKENS = 1_000;

/** Content that costs input tokens by something other than its own bytes. */
const REMOTE_CONTENT = [
  '"image_url"',
  '"input_audio"',
  '"video_url"',
  '"audio_url"',
  '"document_url"',
  '"file_id"',
  '"file"',
  '"web_search_options"',
  '"search_parameters"',
  '"plugins"',
  '"compound_custom"',
];

/** OpenAI's search models search once for every answer, and no answer counts it (OpenAI pricing, web search in chat). */
const SEARCHES_ALWAYS = /(?:^|\/)gpt-[\w.-]*-search-(?:preview|api)/;

export function readChatRequest(body: RequestBody): WireRequest {
  const common = readCommon(body);
  const searches = SEARCHES_ALWAYS.test(common.model);
  return {
    ...common,
    ...bounded(body, REMOTE_CONTENT),
    ...(searches ? { maxInputTokens: null, meters: { web_search: 1 } } : {}),
    maxOutputTokens: chatLimit(body),
    choices: readField(body, 'n', COUNT) ?? 1,
  };
}

/** The larger one where both are given, as a server may read either; null for none. */
export function chatLimit(body: RequestBody): number | null {
  const given = CHAT_LIMITS.flatMap((name) => readField(body, name, COUNT) ?? []);
  return given.length === 0 ? null : Math.max(...given);
}

const CHAT_LIMITS = ['max_completion_tokens', 'max_tokens'] as const;

/** Both where both are given: which one a server reads is its own affair. Where there is none, the one that all current models take. */
export function chatLimitNames(body: RequestBody): readonly string[] {
  const given = CHAT_LIMITS.filter((name) => isGiven(body, name));
  return given.length > 0 ? given : ['max_completion_tokens'];
}

/** What a legacy completion writes when the request sets no limit (OpenAI API reference, `max_tokens`). */
const COMPLETION_DEFAULT_TOKENS = 16;

export function readCompletionRequest(body: RequestBody): WireRequest {
  const prompts = Math.max(1, promptCount(body));
  const answers = Math.max(readField(body, 'n', COUNT) ?? 1, readField(body, 'best_of', COUNT) ?? 1);
  return {
    ...readCommon(body),
    ...bounded(body, []),
    maxOutputTokens: readField(body, 'max_tokens', COUNT) ?? COMPLETION_DEFAULT_TOKENS,
    // Every candidate of `best_of` is billed, also those that are not returned.
    choices: prompts * answers,
  };
}

export function readEmbeddingRequest(body: RequestBody): WireRequest {
  return {
    ...readCommon(body),
    ...bounded(body, REMOTE_CONTENT),
    stream: false,
    wantsUsage: false,
    maxOutputTokens: 0,
    choices: 1,
  };
}

/** Content and tools of a Responses request whose input tokens do not follow from its bytes. */
const REMOTE_RESPONSES = [
  '"image_url"',
  '"input_image"',
  '"input_file"',
  '"input_audio"',
  '"file_id"',
  '"file_url"',
  '"item_reference"',
  '"web_search',
  '"file_search"',
  '"code_interpreter"',
  '"image_generation"',
  '"computer',
  '"mcp"',
  '"x_search"',
  '"tool_search"',
  '"shell"',
];

/** What a Responses request takes from elsewhere. */
const STORED = ['previous_response_id', 'conversation', 'prompt'];

export function readResponsesRequest(body: RequestBody): WireRequest {
  // A stored prompt may name the model.
  const model = isGiven(body, 'prompt') ? (readField(body, 'model', OPTIONAL_TEXT) ?? '') : readModel(body);
  const stored = STORED.some((name) => isGiven(body, name));
  return {
    model,
    stream: readField(body, 'stream', FLAG) ?? false,
    // Its last event carries the usage, asked or not.
    wantsUsage: true,
    maxOutputTokens: readField(body, 'max_output_tokens', COUNT) ?? null,
    choices: 1,
    maxInputTokens: stored ? null : bounded(body, REMOTE_RESPONSES).maxInputTokens,
  };
}

const MODERATION_MODEL = 'omni-moderation-latest';

export function readModerationRequest(body: RequestBody): WireRequest {
  return {
    // OpenAI API reference, `model`.
    model: readField(body, 'model', OPTIONAL_TEXT) ?? MODERATION_MODEL,
    stream: false,
    wantsUsage: false,
    maxOutputTokens: 0,
    choices: 1,
    maxInputTokens: null,
    meters: { request: 1 },
  };
}

/** The model, which every operation that costs money names. */
export function readModel(body: RequestBody): string {
  const model = readField(body, 'model', TEXT);
  if (model === undefined || model === '') {
    throw new ApportionError('invalid_field', 'The field model is missing.', {
      param: 'model',
      hint: 'GET /v1/models lists what can be called.',
    });
  }
  return model;
}

function readCommon(body: RequestBody): Pick<WireRequest, 'model' | 'stream' | 'wantsUsage'> {
  const options = readField(body, 'stream_options', OBJECT);
  return {
    model: readModel(body),
    stream: readField(body, 'stream', FLAG) ?? false,
    wantsUsage: options?.['include_usage'] === true,
  };
}

function bounded(body: RequestBody, remote: readonly string[]): Pick<WireRequest, 'maxInputTokens'> {
  const elsewhere = remote.some((mark) => body.bytes.includes(mark));
  return { maxInputTokens: elsewhere ? null : body.bytes.length + TEMPLATE_TOKENS };
}

/** A prompt is a text, a list of token numbers, or a list of either. */
function promptCount(body: RequestBody): number {
  const prompt = memberValue(body.bytes, body.members.get('prompt'));
  return Array.isArray(prompt) && prompt.some((item) => typeof item !== 'number') ? prompt.length : 1;
}

/** Members that hold what the caller wrote, whatever the operation calls them. */
const WRITTEN = ['messages', 'prompt', 'suffix', 'input', 'instructions', 'tools', 'functions'];

/** What the caller wrote, one text after the other. */
export function requestText(body: RequestBody): string {
  const texts: string[] = [];
  for (const name of WRITTEN) collectTexts(memberValue(body.bytes, body.members.get(name)), texts);
  const prompt = body.form === null ? undefined : readField(body, 'prompt', OPTIONAL_TEXT);
  if (typeof prompt === 'string') texts.push(prompt);
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
