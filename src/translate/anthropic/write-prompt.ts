import type { Effort, Prompt, Reasoning, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { closed } from '../schema.ts';
import { claudeModel, type ClaudeModel } from './models.ts';
import { JSON_TOOL } from './json-tool.ts';
import { writeCache } from './write-cache.ts';
import { writeTurns } from './write-messages.ts';

/** Anthropic needs a limit. Where the caller sets none, it is the model's own, up to here: more is better streamed. */
const MOST_DEFAULT_TOKENS = 32_000;

/** The least thinking that can be asked for (Anthropic API, `thinking.budget_tokens`). */
const LEAST_BUDGET = 1024;

/** Words for thinking, in tokens: Google's table for its OpenAI-compatible endpoint. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: LEAST_BUDGET,
  low: LEAST_BUDGET,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

export function writePrompt(prompt: Prompt, model: string): object {
  const claude = claudeModel(model);
  refuseUnknown(prompt);
  const limit = prompt.maxOutputTokens ?? Math.min(claude.maxOutputTokens, MOST_DEFAULT_TOKENS);
  const thinking = thinkingFor(prompt, { claude, limit });
  const output = writeOutput(prompt, { claude, thinks: thinking !== null && thinking.type !== 'disabled' });
  const effort = effortFor(prompt.reasoning, claude);
  const config = {
    ...(effort === null ? {} : { effort }),
    ...(output.schema === null ? {} : { format: { type: 'json_schema', schema: output.schema } }),
  };
  const tools = [...prompt.tools.map(writeTool), ...output.tools];
  const choice = output.tools.length > 0 ? { type: 'tool', name: JSON_TOOL } : writeToolChoice(prompt, claude);
  return {
    model,
    max_tokens: limit,
    ...(prompt.system.length === 0 ? {} : { system: writeSystem(prompt) }),
    messages: writeTurns(prompt.turns),
    ...(prompt.stream ? { stream: true } : {}),
    ...(tools.length === 0 ? {} : { tools: allowed(tools, prompt) }),
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(thinking === null ? {} : { thinking }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...writeSampling(prompt, { claude, thinks: thinking?.type === 'enabled' }),
    ...(prompt.stop.length === 0 ? {} : { stop_sequences: prompt.stop }),
    ...(prompt.serviceTier === 'default' ? { service_tier: 'standard_only' } : {}),
    ...(prompt.user === null ? {} : { metadata: { user_id: prompt.user } }),
  };
}

function refuseUnknown(prompt: Prompt): void {
  const { names } = prompt;
  if (prompt.choices > 1) throw unsayable(names.choices, 'Anthropic writes one answer');
  if (prompt.seed !== null) throw unsayable(names.seed, 'Anthropic knows no seed');
  if (prompt.frequencyPenalty !== null) throw unsayable(names.frequencyPenalty, 'Anthropic knows no penalties');
  if (prompt.presencePenalty !== null) throw unsayable(names.presencePenalty, 'Anthropic knows no penalties');
  if (prompt.logprobs !== null) throw unsayable(names.logprobs, 'Anthropic tells no likelihoods');
  if (prompt.verbosity !== null && prompt.verbosity !== 'medium')
    throw unsayable(names.verbosity, 'Anthropic knows no verbosity');
  if (prompt.serviceTier === 'flex' || prompt.serviceTier === 'priority')
    throw unsayable(names.serviceTier, `Anthropic sells no tier ${prompt.serviceTier} by the call`);
}

type Given = { readonly claude: ClaudeModel; readonly limit: number };

type Thinking =
  | { readonly type: 'disabled' | 'adaptive'; readonly display?: 'omitted' }
  | { readonly type: 'enabled'; readonly budget_tokens: number };

function thinkingFor(prompt: Prompt, { claude, limit }: Given): Thinking | null {
  const { reasoning, names } = prompt;
  if (reasoning === null) return null;
  if (claude.thinking === 'never') {
    if (reasoning.effort === 'none') return null;
    throw unsayable(names.reasoning, 'this model does not think');
  }
  if (reasoning.effort === 'none') {
    if (claude.thinking === 'always') throw unsayable(names.reasoning, 'this model always thinks');
    return { type: 'disabled' };
  }
  if (claude.thinking !== 'budget')
    return reasoning.shown === false ? { type: 'adaptive', display: 'omitted' } : ADAPTIVE;
  // Thoughts that were lost on the way: Anthropic refuses to think on without them (extended thinking with tool use).
  if (callsWithoutThought(prompt)) return null;
  const wished = reasoning.budgetTokens ?? BUDGETS[reasoning.effort ?? 'medium'];
  if (limit <= LEAST_BUDGET)
    throw unsayable(names.maxOutputTokens, `this model thinks only with more than ${LEAST_BUDGET}`);
  return { type: 'enabled', budget_tokens: Math.max(LEAST_BUDGET, Math.min(wished, limit - 1)) };
}

const ADAPTIVE: Thinking = { type: 'adaptive' };

function callsWithoutThought({ turns }: Prompt): boolean {
  const parts = turns.findLast(({ role }) => role === 'assistant')?.parts ?? [];
  return (
    parts.some(({ kind }) => kind === 'tool_call') &&
    !parts.some((part) => part.kind === 'reasoning' && part.signature?.by === 'anthropic')
  );
}

/** Only models that think as they see fit are told by a word; the others by their budget. */
function effortFor(reasoning: Reasoning | null, { thinking }: ClaudeModel): string | null {
  if (reasoning === null || (thinking !== 'adaptive' && thinking !== 'always')) return null;
  const { effort, budgetTokens } = reasoning;
  if (effort === 'none') return null;
  if (effort === 'minimal') return 'low';
  if (effort !== null || budgetTokens === null) return effort;
  if (budgetTokens <= BUDGETS.low) return 'low';
  return budgetTokens <= BUDGETS.medium ? 'medium' : 'high';
}

function writeSystem({ system }: Prompt): unknown {
  const [first] = system;
  if (system.length === 1 && first !== undefined && first.cache === null) return first.text;
  return system.map(({ text, cache }) => ({ type: 'text', text, ...writeCache(cache) }));
}

type Written = Readonly<Record<string, unknown>> & { readonly name: string };

function writeTool({ name, description, schema, strict, cache }: Tool): Written {
  return {
    name,
    ...(description === '' ? {} : { description }),
    input_schema: schema ?? { type: 'object', properties: {} },
    ...(strict === true ? { strict } : {}),
    ...writeCache(cache),
  };
}

/** Anthropic can be bound to one tool or to none: of several, only those that may be called are offered. */
function allowed(tools: readonly Written[], { toolChoice }: Prompt): readonly Written[] {
  if (toolChoice === null || toolChoice.only.length < (toolChoice.mode === 'required' ? 2 : 1)) return tools;
  return tools.filter(({ name }) => toolChoice.only.includes(name));
}

function writeToolChoice(
  { toolChoice, parallelTools, tools, names }: Prompt,
  { forcedTools }: ClaudeModel,
): object | null {
  if (tools.length === 0 || (toolChoice === null && parallelTools !== false)) return null;
  const { mode, only } = toolChoice ?? { mode: 'auto', only: [] };
  if (mode === 'none') return { type: 'none' };
  if (mode === 'required' && !forcedTools)
    throw unsayable(names.toolChoice, 'this model cannot be made to call a tool');
  const single = parallelTools === false ? { disable_parallel_tool_use: true } : {};
  const [first] = only;
  if (mode === 'auto') return { type: 'auto', ...single };
  return first !== undefined && only.length === 1
    ? { type: 'tool', name: first, ...single }
    : { type: 'any', ...single };
}

type Output = { readonly schema: unknown; readonly tools: readonly Written[] };

/** By Anthropic's own output format; where the model has none, by a tool that it must call, which is unwrapped again. */
function writeOutput(
  { output, tools, names }: Prompt,
  { claude, thinks }: { readonly claude: ClaudeModel; readonly thinks: boolean },
): Output {
  if (output === null) return { schema: null, tools: [] };
  if (output.kind === 'schema' && claude.schemas) return { schema: closed(output.schema), tools: [] };
  if (tools.length > 0) throw unsayable(names.output, 'this model answers in JSON only without tools');
  if (thinks || !claude.forcedTools)
    throw unsayable(names.output, 'this model answers in JSON only by a schema', 'Ask for json_schema.');
  const schema = output.kind === 'schema' ? output.schema : { type: 'object' };
  return { schema: null, tools: [writeTool({ ...ANSWER_TOOL, schema })] };
}

const ANSWER_TOOL = {
  name: JSON_TOOL,
  description: 'Gives the answer. Its input is the whole answer, as JSON.',
  strict: null,
  at: '',
  cache: null,
} as const;

function writeSampling(
  { temperature, topP, topK, names }: Prompt,
  { claude, thinks }: { readonly claude: ClaudeModel; readonly thinks: boolean },
): object {
  // One is what every model does without it.
  const heat = temperature === 1 ? null : temperature;
  if (heat !== null && heat > 1) throw unsayable(names.temperature, 'Anthropic takes 0 to 1');
  const settings = { temperature: heat, top_p: topP === 1 ? null : topP, top_k: topK };
  const [given] = Object.entries(settings).filter(([, value]) => value !== null);
  if (given !== undefined && !claude.sampling)
    throw unsayable(SETTING_NAMES[given[0]]?.(names) ?? given[0], 'this model takes no sampling settings');
  if (heat !== null && thinks) throw unsayable(names.temperature, 'this model thinks only without a temperature');
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

const SETTING_NAMES: Readonly<Record<string, (names: Prompt['names']) => string>> = {
  temperature: (names) => names.temperature,
  top_p: (names) => names.topP,
  top_k: (names) => names.topK,
};
