import { TAG_BODY_FIELDS } from '#tags';
import type { RequestBody } from '#wires';
import { asFields, asList, count, flag, numeral, only, text, word, type Fields } from '../fields.ts';
import type { Effort, OutputFormat, Prompt, Reasoning, ToolChoice } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { camel, NAMES } from './names.ts';
import { readContents, readInstruction } from './read-contents.ts';
import { fromOpenApi } from './open-api.ts';
import { readTools } from './read-tools.ts';

/** What is left out, because it says nothing of the answer (docs/translation.md): how it is filed, and the model said twice. */
const HINTS = ['labels', 'store', 'model', 'metadata'];

const KNOWN: ReadonlySet<string> = new Set([
  ...TAG_BODY_FIELDS,
  ...HINTS,
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'generationConfig',
  'safetySettings',
  'serviceTier',
]);

const CONFIG: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'responseLogprobs',
  'logprobs',
  'presencePenalty',
  'frequencyPenalty',
  'seed',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
]);

export function readPrompt(body: RequestBody): Prompt {
  // Names of ours keep their spelling: they are not Google's.
  const given = asFields(JSON.parse(body.bytes.toString('utf8')), 'body');
  const fields = camel(Object.fromEntries(Object.entries(given).filter(([name]) => !OURS.has(name))));
  only(fields, KNOWN, '');
  refuseFilters(fields['safetySettings']);
  const stream = body.target.action === 'streamGenerateContent';
  if (stream && !new URLSearchParams(body.target.query).getAll('alt').includes('sse'))
    throw unsayable('alt', 'a stream in one JSON array is not translated', 'Add ?alt=sse to the path.');
  const config = camel(asFields(fields['generationConfig'] ?? {}, 'generationConfig'));
  only(config, CONFIG, 'generationConfig');
  const at = 'generationConfig';
  return {
    system: readInstruction(fields['systemInstruction']),
    turns: readContents(fields['contents']),
    tools: readTools(fields['tools']),
    toolChoice: readToolChoice(fields['toolConfig']),
    parallelTools: null,
    output: readOutput(config),
    stream,
    maxOutputTokens: count(config, 'maxOutputTokens', at),
    choices: count(config, 'candidateCount', at) ?? 1,
    temperature: numeral(config, 'temperature', at),
    topP: numeral(config, 'topP', at),
    topK: count(config, 'topK', at),
    stop: readStops(config['stopSequences']),
    seed: numeral(config, 'seed', at),
    frequencyPenalty: numeral(config, 'frequencyPenalty', at) || null,
    presencePenalty: numeral(config, 'presencePenalty', at) || null,
    logprobs: flag(config, 'responseLogprobs', at) === true ? { others: count(config, 'logprobs', at) ?? 0 } : null,
    reasoning: readReasoning(config['thinkingConfig']),
    verbosity: null,
    serviceTier: readTier(fields),
    user: null,
    names: NAMES,
  };
}

const OURS: ReadonlySet<string> = new Set(TAG_BODY_FIELDS);

/** Filters that are opened ask for what others do anyway; those that are closed only Google has. */
function refuseFilters(value: unknown): void {
  if (value === undefined || value === null) return;
  for (const [index, setting] of asList(value, 'safetySettings').entries()) {
    const at = `safetySettings[${index}]`;
    const { threshold } = asFields(setting, at);
    if (threshold !== 'BLOCK_NONE' && threshold !== 'OFF')
      throw unsayable(at, `only Google filters by category and threshold`);
  }
}

function readToolChoice(value: unknown): ToolChoice | null {
  if (value === undefined || value === null) return null;
  const at = 'toolConfig.functionCallingConfig';
  const tools = camel(asFields(value, 'toolConfig'));
  only(tools, TOOL_CONFIG, 'toolConfig');
  if (tools['functionCallingConfig'] === undefined) return null;
  const config = camel(asFields(tools['functionCallingConfig'], at));
  only(config, CALLING_CONFIG, at);
  const names = asList(config['allowedFunctionNames'] ?? [], `${at}.allowedFunctionNames`).map(String);
  switch (config['mode']) {
    case undefined:
    case 'MODE_UNSPECIFIED':
    case 'AUTO':
    case 'VALIDATED':
      return { mode: 'auto', only: names };
    case 'ANY':
      return { mode: 'required', only: names };
    case 'NONE':
      return { mode: 'none', only: [] };
    default:
      throw malformed(`${at}.mode`, 'AUTO, ANY, NONE or VALIDATED');
  }
}

const TOOL_CONFIG: ReadonlySet<string> = new Set(['functionCallingConfig']);
const CALLING_CONFIG: ReadonlySet<string> = new Set(['mode', 'allowedFunctionNames']);

function readOutput(config: Fields): OutputFormat | null {
  const type = text(config, 'responseMimeType', 'generationConfig') ?? 'text/plain';
  const modalities = asList(config['responseModalities'] ?? [], 'generationConfig.responseModalities');
  if (modalities.some((one) => one !== 'TEXT'))
    throw unsayable('generationConfig.responseModalities', 'only text is answered');
  const schema = config['responseJsonSchema'] ?? fromOpenApi(config['responseSchema']);
  if (type === 'text/plain') return null;
  if (type !== 'application/json')
    throw unsayable('generationConfig.responseMimeType', `only Google answers in ${type}`);
  if (schema === undefined || schema === null) return { kind: 'json' };
  return { kind: 'schema', name: 'answer', description: '', schema, strict: null };
}

function readStops(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'generationConfig.stopSequences').map((stop, at) => {
    if (typeof stop === 'string') return stop;
    throw malformed(`generationConfig.stopSequences[${at}]`, 'a string');
  });
}

const LEVELS: Readonly<Record<string, Effort | null>> = {
  THINKING_LEVEL_UNSPECIFIED: null,
  MINIMAL: 'minimal',
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
};

const THINKING: ReadonlySet<string> = new Set(['includeThoughts', 'thinkingBudget', 'thinkingLevel']);

function readReasoning(value: unknown): Reasoning | null {
  if (value === undefined || value === null) return null;
  const at = 'generationConfig.thinkingConfig';
  const config = camel(asFields(value, at));
  only(config, THINKING, at);
  const level = text(config, 'thinkingLevel', at);
  const effort = level === null ? null : LEVELS[level.toUpperCase()];
  if (effort === undefined) throw malformed(`${at}.thinkingLevel`, 'MINIMAL, LOW, MEDIUM or HIGH');
  const budget = numeral(config, 'thinkingBudget', at);
  const shown = flag(config, 'includeThoughts', at);
  // Minus one leaves it to the model (Gemini API, thinking budgets).
  if (budget === null || budget < 0)
    return effort === null && shown !== true ? null : { effort, budgetTokens: null, shown };
  return budget === 0
    ? { effort: 'none', budgetTokens: null, shown: null }
    : { effort: null, budgetTokens: budget, shown };
}

function readTier(fields: Fields): Prompt['serviceTier'] {
  const tier = text(fields, 'serviceTier')?.toLowerCase();
  const known = word(tier, 'serviceTier', ['unspecified', 'standard', 'flex', 'priority']);
  if (known === 'standard') return 'default';
  return known === 'unspecified' ? null : known;
}
