import type { Effort, OutputFormat, Prompt, Reasoning, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { writeContents } from './write-contents.ts';

export function writePrompt(prompt: Prompt, model: string): object {
  refuseUnknown(prompt);
  const config = writeConfig(prompt, model);
  const tools = offered(prompt);
  const calling = writeToolConfig(prompt);
  const { system, serviceTier } = prompt;
  return {
    ...(system.length === 0 ? {} : { systemInstruction: { parts: system.map(({ text }) => ({ text })) } }),
    contents: writeContents(prompt.turns, model),
    ...(tools.length === 0 ? {} : { tools: [{ functionDeclarations: tools.map(writeFunction) }] }),
    ...(calling === null || tools.length === 0 ? {} : { toolConfig: { functionCallingConfig: calling } }),
    ...(Object.keys(config).length === 0 ? {} : { generationConfig: config }),
    ...(serviceTier === null || serviceTier === 'auto'
      ? {}
      : { serviceTier: serviceTier === 'default' ? 'standard' : serviceTier }),
  };
}

function refuseUnknown({ parallelTools, verbosity, tools, toolChoice, names }: Prompt): void {
  // Who must call one certain tool has no other to call beside it.
  const bound = toolChoice?.mode === 'required' && (toolChoice.only.length === 1 || tools.length === 1);
  if (parallelTools === false && tools.length > 0 && !bound)
    throw unsayable(names.parallelTools, 'Gemini cannot be kept to one call at a time');
  if (verbosity !== null && verbosity !== 'medium') throw unsayable(names.verbosity, 'Gemini knows no verbosity');
}

/** Gemini can be kept to some tools only where it must call one: else only those are offered. */
function offered({ tools, toolChoice }: Prompt): readonly Tool[] {
  if (toolChoice === null || toolChoice.mode !== 'auto' || toolChoice.only.length === 0) return tools;
  return tools.filter(({ name }) => toolChoice.only.includes(name));
}

const MODES = { auto: 'AUTO', required: 'ANY', none: 'NONE' } as const;

function writeToolConfig({ toolChoice }: Prompt): object | null {
  if (toolChoice === null) return null;
  const { mode, only } = toolChoice;
  const names = mode === 'required' && only.length > 0 ? { allowedFunctionNames: only } : {};
  return { mode: MODES[mode], ...names };
}

function writeFunction({ name, description, schema }: Tool): object {
  return {
    name,
    ...(description === '' ? {} : { description }),
    ...(schema === null ? {} : { parametersJsonSchema: schema }),
  };
}

function writeConfig(prompt: Prompt, model: string): Readonly<Record<string, unknown>> {
  const { logprobs, reasoning, names } = prompt;
  const settings = {
    maxOutputTokens: prompt.maxOutputTokens,
    candidateCount: prompt.choices === 1 ? null : prompt.choices,
    temperature: prompt.temperature,
    topP: prompt.topP,
    topK: prompt.topK,
    stopSequences: prompt.stop.length === 0 ? null : prompt.stop,
    seed: prompt.seed,
    frequencyPenalty: prompt.frequencyPenalty,
    presencePenalty: prompt.presencePenalty,
    responseLogprobs: logprobs === null ? null : true,
    logprobs: logprobs === null || logprobs.others === 0 ? null : logprobs.others,
    ...writeOutput(prompt.output),
    thinkingConfig: reasoning === null ? null : writeThinking(reasoning, { model, name: names.reasoning }),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

function writeOutput(output: OutputFormat | null): object {
  if (output === null) return {};
  const json = { responseMimeType: 'application/json' };
  return output.kind === 'json' ? json : { ...json, responseJsonSchema: output.schema };
}

/** Google's own table for its OpenAI-compatible endpoint (Gemini API, OpenAI compatibility, thinking). */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

const LEVELS: Readonly<Record<Exclude<Effort, 'none'>, string>> = {
  minimal: 'MINIMAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/** Gemini 2.5 thinks by budget, later ones by level; earlier ones not at all (Gemini API, thinking). */
const BY_BUDGET = /gemini-2\.5/;
const NEVER = /gemini-(?:1|2\.0)/;
const ALWAYS = /gemini-(?:2\.5-pro|[3-9])/;

type About = { readonly model: string; readonly name: string };

function writeThinking(reasoning: Reasoning, { model, name }: About): object | null {
  const { effort, budgetTokens, shown } = reasoning;
  if (effort === 'none') {
    if (NEVER.test(model)) return null;
    if (ALWAYS.test(model)) throw unsayable(name, 'this model always thinks');
    return { thinkingBudget: 0 };
  }
  if (NEVER.test(model)) throw unsayable(name, 'this model does not think');
  const visible = shown === null ? {} : { includeThoughts: shown };
  if (effort === null && budgetTokens === null) return visible;
  if (BY_BUDGET.test(model)) return { thinkingBudget: budgetTokens ?? BUDGETS[effort ?? 'medium'], ...visible };
  return { thinkingLevel: effort === null ? levelOf(budgetTokens ?? 0) : LEVELS[effort], ...visible };
}

function levelOf(budget: number): string {
  if (budget <= BUDGETS.low) return LEVELS.low;
  return budget <= BUDGETS.medium ? LEVELS.medium : LEVELS.high;
}
