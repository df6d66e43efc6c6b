import { TAG_BODY_FIELDS } from '#tags';
import type { RequestBody } from '#wires';
import { asFields, asList, count, flag, numeral, only, text, word, type Fields } from '../fields.ts';
import { EFFORTS, type OutputFormat, type Prompt, type SettingNames, type ToolChoice } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readThinking } from '../thinking.ts';
import { readMessages } from './read-messages.ts';
import { readTools } from './read-tools.ts';

const NAMES: SettingNames = {
  system: 'messages',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelTools: 'parallel_tool_calls',
  output: 'response_format',
  maxOutputTokens: 'max_completion_tokens',
  choices: 'n',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logprobs: 'logprobs',
  reasoning: 'reasoning_effort',
  verbosity: 'verbosity',
  serviceTier: 'service_tier',
  user: 'user',
};

/** What is left out, because it says nothing of the answer (docs/translation.md): where it is kept, cached and filed. */
const HINTS = ['metadata', 'store', 'prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention'];

const KNOWN: ReadonlySet<string> = new Set([
  ...TAG_BODY_FIELDS,
  ...HINTS,
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'max_completion_tokens',
  'max_tokens',
  'n',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'modalities',
  'reasoning_effort',
  'thinking',
  'verbosity',
  'service_tier',
  'user',
  'safety_identifier',
]);

export function readPrompt(body: RequestBody): Prompt {
  const fields = asFields(JSON.parse(body.bytes.toString('utf8')), 'body');
  only(fields, KNOWN, '');
  refuseEmptyWishes(fields);
  const { system, turns } = readMessages(asList(fields['messages'], 'messages'));
  return {
    system,
    turns,
    tools: readTools(fields['tools']),
    toolChoice: readToolChoice(fields['tool_choice']),
    parallelTools: flag(fields, 'parallel_tool_calls'),
    output: readOutput(fields['response_format']),
    stream: flag(fields, 'stream') ?? false,
    maxOutputTokens: count(fields, 'max_completion_tokens') ?? count(fields, 'max_tokens'),
    choices: count(fields, 'n') ?? 1,
    temperature: numeral(fields, 'temperature'),
    topP: numeral(fields, 'top_p'),
    topK: count(fields, 'top_k'),
    stop: readStop(fields['stop']),
    seed: numeral(fields, 'seed'),
    // Zero is what every model does without it.
    frequencyPenalty: numeral(fields, 'frequency_penalty') || null,
    presencePenalty: numeral(fields, 'presence_penalty') || null,
    logprobs: flag(fields, 'logprobs') === true ? { others: count(fields, 'top_logprobs') ?? 0 } : null,
    reasoning: readReasoning(fields),
    verbosity: word(fields['verbosity'], 'verbosity', ['low', 'medium', 'high']),
    serviceTier: readTier(fields),
    user: text(fields, 'safety_identifier') ?? text(fields, 'user'),
    names: fields['max_completion_tokens'] === undefined ? OLDER_NAMES : NAMES,
  };
}

const OLDER_NAMES: SettingNames = { ...NAMES, maxOutputTokens: 'max_tokens' };

/** Fields that are only taken where they ask for nothing. */
function refuseEmptyWishes(fields: Fields): void {
  const bias = fields['logit_bias'];
  if (bias !== undefined && bias !== null && Object.keys(asFields(bias, 'logit_bias')).length > 0)
    throw unsayable('logit_bias', 'the tokens it names are those of one tokenizer');
  const modalities = fields['modalities'];
  if (modalities !== undefined && modalities !== null)
    if (asList(modalities, 'modalities').some((one) => one !== 'text'))
      throw unsayable('modalities', 'only text is answered');
}

function readReasoning(fields: Fields): Prompt['reasoning'] {
  const effort = word(fields['reasoning_effort'], 'reasoning_effort', EFFORTS);
  const { thinking } = fields;
  if (thinking !== undefined && thinking !== null) return readThinking(thinking, effort);
  return effort === null ? null : { effort, budgetTokens: null, shown: effort === 'none' ? null : true };
}

const TIERS = ['auto', 'default', 'flex', 'priority'] as const;

export function readTier(fields: Fields): Prompt['serviceTier'] {
  const tier = text(fields, 'service_tier');
  if (tier === null) return null;
  const known = TIERS.find((one) => one === tier);
  if (known === undefined) throw unsayable('service_tier', `only OpenAI has a tier called ${tier}`);
  return known;
}

function readStop(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const stops: readonly unknown[] = Array.isArray(value) ? value : [value];
  return stops.map((stop, at) => {
    if (typeof stop === 'string') return stop;
    throw malformed(`stop[${at}]`, 'a string');
  });
}

const MODES = ['auto', 'none', 'required'] as const;

function readToolChoice(value: unknown): ToolChoice | null {
  if (value === undefined || value === null) return null;
  const mode = MODES.find((one) => one === value);
  if (mode !== undefined) return { mode, only: [] };
  const choice = asFields(value, 'tool_choice');
  if (choice['type'] === 'function') {
    const name = text(asFields(choice['function'], 'tool_choice.function'), 'name', 'tool_choice.function');
    return { mode: 'required', only: [name ?? ''] };
  }
  if (choice['type'] !== 'allowed_tools') throw unsayable('tool_choice', 'it names a tool that is no function');
  const allowed = asFields(choice['allowed_tools'], 'tool_choice.allowed_tools');
  const names = asList(allowed['tools'], 'tool_choice.allowed_tools.tools').map((tool, at) => {
    const place = `tool_choice.allowed_tools.tools[${at}]`;
    const given = asFields(tool, place);
    if (given['type'] !== 'function') throw unsayable(place, 'it is no function');
    return text(asFields(given['function'], `${place}.function`), 'name', `${place}.function`) ?? '';
  });
  return { mode: allowed['mode'] === 'required' ? 'required' : 'auto', only: names };
}

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['name', 'description', 'schema', 'strict']);

function readOutput(value: unknown): OutputFormat | null {
  if (value === undefined || value === null) return null;
  const format = asFields(value, 'response_format');
  switch (format['type']) {
    case 'text':
      return null;
    case 'json_object':
      return { kind: 'json' };
    case 'json_schema': {
      const at = 'response_format.json_schema';
      const given = asFields(format['json_schema'], at);
      only(given, SCHEMA_FIELDS, at);
      return readSchema(given, at);
    }
    default:
      throw malformed('response_format.type', 'text, json_object or json_schema');
  }
}

/** A schema and its name, which chats and Responses keep at places of their own. */
export function readSchema(given: Fields, at: string): OutputFormat {
  return {
    kind: 'schema',
    name: text(given, 'name', at) ?? 'answer',
    description: text(given, 'description', at) ?? '',
    schema: asFields(given['schema'] ?? {}, `${at}.schema`),
    strict: flag(given, 'strict', at),
  };
}
