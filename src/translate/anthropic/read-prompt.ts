import { TAG_BODY_FIELDS } from '#tags';
import type { RequestBody } from '#wires';
import { asFields, asList, count, flag, isFields, numeral, only, text, word, type Fields } from '../fields.ts';
import type { OutputFormat, Prompt, Reasoning, SettingNames, ToolChoice } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readThinking } from '../thinking.ts';
import { readMessages, readSystem } from './read-messages.ts';
import { readTools } from './read-tools.ts';

const NAMES: SettingNames = {
  system: 'system',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelTools: 'tool_choice.disable_parallel_tool_use',
  output: 'output_config.format',
  maxOutputTokens: 'max_tokens',
  choices: 'n',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stop: 'stop_sequences',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logprobs: 'logprobs',
  reasoning: 'thinking',
  verbosity: 'verbosity',
  serviceTier: 'service_tier',
  user: 'metadata.user_id',
};

/** What is left out, because it says nothing of the answer (docs/translation.md). */
const HINTS = ['cache_control', 'diagnostics', 'user_profile_id', 'workspace_id'];

const KNOWN: ReadonlySet<string> = new Set([
  ...TAG_BODY_FIELDS,
  ...HINTS,
  'model',
  'messages',
  'system',
  'max_tokens',
  'metadata',
  'stop_sequences',
  'stream',
  'temperature',
  'top_k',
  'top_p',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'service_tier',
  'speed',
  'context_management',
]);

export function readPrompt(body: RequestBody): Prompt {
  const fields = asFields(JSON.parse(body.bytes.toString('utf8')), 'body');
  only(fields, KNOWN, '');
  refuseElsewhere(fields);
  const conversation = readMessages(asList(fields['messages'], 'messages'));
  const config = isFields(fields['output_config']) ? fields['output_config'] : {};
  only(config, OUTPUT_FIELDS, 'output_config');
  const limit = count(fields, 'max_tokens');
  if (limit === null) throw malformed('max_tokens', 'a whole number');
  const choice = fields['tool_choice'];
  const chosen = choice === undefined || choice === null ? null : asFields(choice, 'tool_choice');
  return {
    system: [...readSystem(fields['system']), ...conversation.system],
    turns: conversation.turns,
    tools: readTools(fields['tools']),
    toolChoice: chosen === null ? null : readToolChoice(chosen),
    parallelTools: chosen === null || chosen['disable_parallel_tool_use'] !== true ? null : false,
    output: readOutput(config['format'] ?? fields['output_format']),
    stream: flag(fields, 'stream') ?? false,
    maxOutputTokens: limit,
    choices: 1,
    temperature: numeral(fields, 'temperature'),
    topP: numeral(fields, 'top_p'),
    topK: count(fields, 'top_k'),
    stop: readStops(fields['stop_sequences']),
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    logprobs: null,
    reasoning: readReasoning(fields['thinking'], config),
    verbosity: null,
    serviceTier: readTier(fields),
    user: isFields(fields['metadata']) ? text(fields['metadata'], 'user_id', 'metadata') : null,
    names: NAMES,
  };
}

const OUTPUT_FIELDS: ReadonlySet<string> = new Set(['effort', 'format']);

/** Fields that only are taken where they ask for what everybody does. */
function refuseElsewhere(fields: Fields): void {
  if (text(fields, 'speed') === 'fast') throw unsayable('speed', 'only Anthropic answers at this speed and its price');
  const management = fields['context_management'];
  if (management === undefined || management === null) return;
  const edits = asFields(management, 'context_management')['edits'] ?? [];
  for (const [at, edit] of asList(edits, 'context_management.edits').entries()) {
    const place = `context_management.edits[${at}]`;
    const type = text(asFields(edit, place), 'type', place) ?? '';
    // Earlier thoughts go to no other provider anyway.
    if (!type.startsWith('clear_thinking_')) throw unsayable(place, 'only Anthropic edits the conversation by itself');
  }
}

function readReasoning(thinking: unknown, config: Fields): Reasoning | null {
  const effort = word(config['effort'], 'output_config.effort', ['low', 'medium', 'high', 'xhigh', 'max']);
  if (thinking === undefined || thinking === null)
    return effort === null ? null : { effort, budgetTokens: null, shown: null };
  return readThinking(thinking, effort);
}

function readTier(fields: Fields): Prompt['serviceTier'] {
  const tier = word(fields['service_tier'], 'service_tier', ['auto', 'standard_only']);
  return tier === 'standard_only' ? 'default' : tier;
}

function readStops(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'stop_sequences').map((stop, at) => {
    if (typeof stop === 'string') return stop;
    throw malformed(`stop_sequences[${at}]`, 'a string');
  });
}

function readToolChoice(choice: Fields): ToolChoice {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return { mode: choice['type'], only: [] };
    case 'any':
      return { mode: 'required', only: [] };
    case 'tool':
      return { mode: 'required', only: [text(choice, 'name', 'tool_choice') ?? ''] };
    default:
      throw malformed('tool_choice.type', 'auto, any, tool or none');
  }
}

function readOutput(value: unknown): OutputFormat | null {
  if (value === undefined || value === null) return null;
  const at = 'output_config.format';
  const format = asFields(value, at);
  if (format['type'] !== 'json_schema') throw malformed(`${at}.type`, 'json_schema');
  return {
    kind: 'schema',
    name: 'answer',
    description: '',
    schema: asFields(format['schema'], `${at}.schema`),
    strict: null,
  };
}
