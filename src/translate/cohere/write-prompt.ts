import type { Effort, Prompt, Reasoning, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { writeMessages } from './write-messages.ts';

export function writePrompt(prompt: Prompt, model: string): object {
  refuseUnknown(prompt);
  return {
    model,
    messages: writeMessages(prompt),
    ...(prompt.stream ? { stream: true } : {}),
    ...writeTools(prompt),
    ...given('response_format', writeOutput(prompt)),
    ...given('max_tokens', prompt.maxOutputTokens),
    ...given('temperature', prompt.temperature),
    ...given('p', prompt.topP === 1 ? null : prompt.topP),
    ...given('k', prompt.topK),
    ...given('stop_sequences', prompt.stop.length === 0 ? null : prompt.stop),
    ...given('seed', prompt.seed),
    ...given('frequency_penalty', prompt.frequencyPenalty),
    ...given('presence_penalty', prompt.presencePenalty),
    ...given('thinking', writeThinking(prompt.reasoning)),
  };
}

function given(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === null ? {} : { [name]: value };
}

function refuseUnknown(prompt: Prompt): void {
  const { names, serviceTier, verbosity } = prompt;
  if (prompt.choices > 1) throw unsayable(names.choices, 'Cohere writes one answer');
  if (prompt.logprobs !== null)
    throw unsayable(names.logprobs, 'Cohere tells likelihoods in no form of another provider’s');
  if (verbosity !== null && verbosity !== 'medium') throw unsayable(names.verbosity, 'Cohere knows no verbosity');
  if (serviceTier === 'flex' || serviceTier === 'priority')
    throw unsayable(names.serviceTier, `Cohere sells no tier ${serviceTier}`);
  if (prompt.parallelTools === false && prompt.tools.length > 0)
    throw unsayable(names.parallelTools, 'Cohere cannot be held to one tool at a time');
}

/** What is asked for by a word, in tokens: Google's table for its OpenAI-compatible endpoint. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

function writeThinking(reasoning: Reasoning | null): object | null {
  if (reasoning === null) return null;
  const { effort, budgetTokens } = reasoning;
  if (effort === 'none') return { type: 'disabled' };
  const budget = budgetTokens ?? (effort === null ? null : BUDGETS[effort]);
  return { type: 'enabled', ...given('token_budget', budget) };
}

function writeOutput({ output, tools, names }: Prompt): object | null {
  if (output === null) return null;
  if (tools.length > 0) throw unsayable(names.output, 'Cohere answers in JSON only without tools');
  return { type: 'json_object', ...(output.kind === 'schema' ? { json_schema: output.schema } : {}) };
}

/** Cohere can be bound to some tool or to none: of several, only those that may be called are offered. */
function writeTools({ tools, toolChoice }: Prompt): object {
  if (tools.length === 0) return {};
  const only = toolChoice?.only ?? [];
  const offered = only.length === 0 ? tools : tools.filter(({ name }) => only.includes(name));
  const mode = toolChoice?.mode ?? 'auto';
  return { tools: offered.map(writeTool), ...(mode === 'auto' ? {} : { tool_choice: mode.toUpperCase() }) };
}

function writeTool({ name, description, schema }: Tool): object {
  return {
    type: 'function',
    function: {
      name,
      ...(description === '' ? {} : { description }),
      parameters: schema ?? { type: 'object', properties: {} },
    },
  };
}
