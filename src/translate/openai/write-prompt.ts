import { createHash } from 'node:crypto';
import type { Effort, OutputFormat, Prompt, Reasoning, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { takesEveryProperty } from '../schema.ts';
import { writeMessages } from './write-messages.ts';

export function writePrompt(prompt: Prompt, model: string): object {
  const { names } = prompt;
  if (prompt.topK !== null) throw unsayable(names.topK, 'OpenAI cannot limit the choice to so many tokens');
  return {
    model,
    messages: writeMessages(prompt),
    ...(prompt.stream ? { stream: true } : {}),
    ...(prompt.tools.length === 0 ? {} : { tools: prompt.tools.map(writeTool) }),
    ...given('tool_choice', writeToolChoice(prompt)),
    // OpenAI refuses the option where there are no tools.
    ...given('parallel_tool_calls', prompt.tools.length === 0 ? null : prompt.parallelTools),
    ...given('response_format', writeOutput(prompt.output)),
    ...given('max_completion_tokens', prompt.maxOutputTokens),
    ...given('n', prompt.choices === 1 ? null : prompt.choices),
    ...given('temperature', prompt.temperature),
    ...given('top_p', prompt.topP),
    ...given('stop', prompt.stop.length === 0 ? null : prompt.stop),
    ...given('seed', prompt.seed),
    ...given('frequency_penalty', prompt.frequencyPenalty),
    ...given('presence_penalty', prompt.presencePenalty),
    ...(prompt.logprobs === null ? {} : { logprobs: true, ...given('top_logprobs', prompt.logprobs.others || null) }),
    ...given('reasoning_effort', prompt.reasoning === null ? null : effortOf(prompt.reasoning, model)),
    ...given('verbosity', prompt.verbosity),
    ...given('service_tier', prompt.serviceTier),
    ...given('user', prompt.user === null ? null : userOf(prompt.user)),
  };
}

/** OpenAI takes no longer name of a user. */
const USER_CHARS = 64;

/** A name that is too long is told by its digest, which is the same every time. */
function userOf(user: string): string {
  return user.length <= USER_CHARS ? user : createHash('sha256').update(user).digest('hex');
}

function given(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === null ? {} : { [name]: value };
}

function writeTool({ name, description, schema, strict }: Tool): object {
  return {
    type: 'function',
    function: {
      name,
      ...(description === '' ? {} : { description }),
      ...(schema === null ? {} : { parameters: schema }),
      ...(strict === null ? {} : { strict }),
    },
  };
}

function writeToolChoice({ toolChoice, tools }: Prompt): unknown {
  if (toolChoice === null || tools.length === 0) return null;
  const { mode, only } = toolChoice;
  const [first] = only;
  if (first === undefined || mode === 'none') return mode;
  if (only.length === 1 && mode === 'required') return { type: 'function', function: { name: first } };
  return { type: 'allowed_tools', allowed_tools: { mode, tools: only.map(asFunction) } };
}

function asFunction(name: string): object {
  return { type: 'function', function: { name } };
}

function writeOutput(output: OutputFormat | null): unknown {
  if (output === null) return null;
  if (output.kind === 'json') return { type: 'json_object' };
  const { name, description, schema } = output;
  // Only what OpenAI would take as strict is asked for as strict: the rest it refuses.
  const strict = output.strict ?? takesEveryProperty(schema);
  return {
    type: 'json_schema',
    json_schema: { name, ...(description === '' ? {} : { description }), schema, strict },
  };
}

/** Models that do not think refuse to be told not to. */
const NEVER_THINKS = /(?:^|\/)(?:gpt-(?:3|4)|chatgpt-4o)/;

/** Tokens to think, in OpenAI's words: the reverse of Google's table for its OpenAI-compatible endpoint. */
function effortOf({ effort, budgetTokens }: Reasoning, model: string): Effort | null {
  if (effort === null && budgetTokens === null) return null;
  const asked = effort ?? EFFORT_UP_TO.find(([tokens]) => (budgetTokens ?? 0) <= tokens)?.[1] ?? 'high';
  return asked === 'none' && NEVER_THINKS.test(model) ? null : asked;
}

const EFFORT_UP_TO: readonly (readonly [tokens: number, effort: Effort])[] = [
  [0, 'none'],
  [1024, 'low'],
  [8192, 'medium'],
];
