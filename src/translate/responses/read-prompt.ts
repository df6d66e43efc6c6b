import { TAG_BODY_FIELDS } from '#tags';
import type { RequestBody } from '#wires';
import { asFields, asList, count, flag, numeral, only, text, word, type Fields } from '../fields.ts';
import { readSchema, readTier } from '../openai/read-prompt.ts';
import { EFFORTS, type OutputFormat, type Prompt, type SettingNames } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readInput } from './read-input.ts';
import { readToolChoice, readTools } from './read-tools.ts';

const NAMES: SettingNames = {
  system: 'instructions',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelTools: 'parallel_tool_calls',
  output: 'text.format',
  maxOutputTokens: 'max_output_tokens',
  choices: 'n',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logprobs: 'top_logprobs',
  reasoning: 'reasoning',
  verbosity: 'text.verbosity',
  serviceTier: 'service_tier',
  user: 'user',
};

/** What is left out, because it says nothing of the answer (docs/translation.md): where it is kept, cached and filed, and tools nobody else has. */
const HINTS = [
  'metadata',
  'store',
  'stream_options',
  'max_tool_calls',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
];

const KNOWN: ReadonlySet<string> = new Set([
  ...TAG_BODY_FIELDS,
  ...HINTS,
  'model',
  'input',
  'instructions',
  'stream',
  'background',
  'truncation',
  'previous_response_id',
  'conversation',
  'prompt',
  'include',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'reasoning',
  'service_tier',
  'user',
  'safety_identifier',
]);

export function readPrompt(body: RequestBody): Prompt {
  const fields = asFields(JSON.parse(body.bytes.toString('utf8')), 'body');
  only(fields, KNOWN, '');
  refuseStored(fields);
  const { system, turns } = readInput(fields['input']);
  const instructions = text(fields, 'instructions');
  const form = asFields(fields['text'] ?? {}, 'text');
  only(form, TEXT_FIELDS, 'text');
  return {
    system:
      instructions === null
        ? system
        : [{ kind: 'text', text: instructions, at: 'instructions', cache: null }, ...system],
    turns,
    tools: readTools(fields['tools']),
    toolChoice: readToolChoice(fields['tool_choice']),
    parallelTools: flag(fields, 'parallel_tool_calls'),
    output: readOutput(form['format']),
    stream: flag(fields, 'stream') ?? false,
    maxOutputTokens: count(fields, 'max_output_tokens'),
    choices: 1,
    temperature: numeral(fields, 'temperature'),
    topP: numeral(fields, 'top_p'),
    topK: null,
    stop: [],
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    logprobs: readLogprobs(fields),
    reasoning: readReasoning(fields['reasoning']),
    verbosity: word(form['verbosity'], 'text.verbosity', ['low', 'medium', 'high']),
    serviceTier: readTier(fields),
    user: text(fields, 'safety_identifier') ?? text(fields, 'user'),
    names: NAMES,
  };
}

const TEXT_FIELDS: ReadonlySet<string> = new Set(['format', 'verbosity']);

const WHOLE =
  'Send the whole conversation in input: the items of earlier answers, their reasoning included, and what came after.';

/** What only the provider that kept it can answer. */
function refuseStored(fields: Fields): void {
  for (const name of ['previous_response_id', 'conversation', 'prompt'])
    if (fields[name] !== undefined && fields[name] !== null)
      throw unsayable(name, 'what it names is kept by OpenAI, and not by the provider of this model', WHOLE);
  if (flag(fields, 'background') === true)
    throw unsayable('background', 'only OpenAI answers later', 'Leave it out, or stream the answer.');
  if (text(fields, 'truncation') === 'auto')
    throw unsayable('truncation', 'only OpenAI shortens a conversation by itself', 'Leave it out, and send what fits.');
}

/** Whatever else is asked for belongs to hosted tools, which are refused; reasoning is always answered with its seal. */
function readLogprobs(fields: Fields): Prompt['logprobs'] {
  const include = asList(fields['include'] ?? [], 'include');
  const others = count(fields, 'top_logprobs');
  if (others !== null && others > 0) return { others };
  return include.includes('message.output_text.logprobs') ? { others: 0 } : null;
}

const REASONING_FIELDS: ReadonlySet<string> = new Set(['effort', 'summary', 'generate_summary']);

function readReasoning(value: unknown): Prompt['reasoning'] {
  if (value === undefined || value === null) return null;
  const given = asFields(value, 'reasoning');
  only(given, REASONING_FIELDS, 'reasoning');
  const effort = word(given['effort'], 'reasoning.effort', EFFORTS);
  const summary = text(given, 'summary', 'reasoning') ?? text(given, 'generate_summary', 'reasoning');
  if (effort === null && summary === null) return null;
  return { effort, budgetTokens: null, shown: effort === 'none' ? null : summary !== null };
}

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'schema', 'strict']);

function readOutput(value: unknown): OutputFormat | null {
  if (value === undefined || value === null) return null;
  const at = 'text.format';
  const format = asFields(value, at);
  switch (format['type']) {
    case 'text':
      return null;
    case 'json_object':
      return { kind: 'json' };
    case 'json_schema':
      only(format, SCHEMA_FIELDS, at);
      return readSchema(format, at);
    default:
      throw malformed(`${at}.type`, 'text, json_object or json_schema');
  }
}
