import type { Effort, Prompt, Reasoning, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { closed } from '../schema.ts';
import { writeTurns } from './write-messages.ts';
import { cachePoint } from './write-cache.ts';

export function writePrompt(prompt: Prompt, model: string): object {
  refuseUnknown(prompt);
  const { system, turns, maxOutputTokens, temperature, topP, stop, serviceTier } = prompt;
  const inference = {
    ...(maxOutputTokens === null ? {} : { maxTokens: maxOutputTokens }),
    ...(temperature === null ? {} : { temperature: heat(prompt, temperature) }),
    ...(topP === null ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stopSequences: stop }),
  };
  const thought = writeReasoning(prompt.reasoning, model);
  const output = { ...thought.output, ...writeOutput(prompt) };
  const additional = { ...thought.additional, ...writeTopK(prompt, model) };
  const tools = writeTools(prompt);
  return {
    ...(system.length === 0 ? {} : { system: system.flatMap(({ text, cache }) => [{ text }, ...cachePoint(cache)]) }),
    messages: writeTurns(turns),
    ...(Object.keys(inference).length === 0 ? {} : { inferenceConfig: inference }),
    ...(tools === null ? {} : { toolConfig: tools }),
    ...(Object.keys(output).length === 0 ? {} : { outputConfig: output }),
    ...(Object.keys(additional).length === 0 ? {} : { additionalModelRequestFields: additional }),
    ...(serviceTier === null || serviceTier === 'auto' ? {} : { serviceTier: { type: serviceTier } }),
  };
}

function refuseUnknown(prompt: Prompt): void {
  const { names, tools } = prompt;
  if (prompt.choices > 1) throw unsayable(names.choices, 'Bedrock writes one answer');
  if (prompt.seed !== null) throw unsayable(names.seed, 'Bedrock knows no seed');
  if (prompt.frequencyPenalty !== null) throw unsayable(names.frequencyPenalty, 'Bedrock knows no penalties');
  if (prompt.presencePenalty !== null) throw unsayable(names.presencePenalty, 'Bedrock knows no penalties');
  if (prompt.logprobs !== null) throw unsayable(names.logprobs, 'Bedrock tells no likelihoods');
  if (prompt.verbosity !== null && prompt.verbosity !== 'medium')
    throw unsayable(names.verbosity, 'Bedrock knows no verbosity');
  if (prompt.parallelTools === false && tools.length > 0)
    throw unsayable(names.parallelTools, 'Bedrock cannot be held to one tool at a time');
}

function heat({ names }: Prompt, temperature: number): number {
  if (temperature > 1) throw unsayable(names.temperature, 'Bedrock takes 0 to 1');
  return temperature;
}

/** Converse has no field for it; the models that know one have it under their own name. */
function writeTopK({ topK, names }: Prompt, model: string): object {
  if (topK === null) return {};
  if (NOVA.test(model)) return { inferenceConfig: { topK } };
  if (CLAUDE.test(model)) return { top_k: topK };
  throw unsayable(names.topK, 'this model takes none at Bedrock');
}

const NOVA = /(?:^|[./])amazon\.nova/;
const CLAUDE = /(?:^|[./])anthropic\./;
const THINKING_NOVA = /(?:^|[./])amazon\.nova-2/;
const OPENAI = /(?:^|[./])openai\./;

type Thought = { readonly output: object; readonly additional: object };

/** By a word, under the name that the maker has for it. */
function writeReasoning(reasoning: Reasoning | null, model: string): Thought {
  const effort = reasoning === null ? null : effortOf(reasoning);
  if (effort === null) return { output: {}, additional: {} };
  if (OPENAI.test(model)) return { output: {}, additional: { reasoning_effort: effort } };
  if (THINKING_NOVA.test(model))
    return { output: {}, additional: { reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } } };
  return { output: { effort }, additional: {} };
}

const WORDS: Readonly<Record<Exclude<Effort, 'none'>, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

/** Where thinking is not wished it is not asked for, and most models do not think unasked. */
function effortOf({ effort, budgetTokens }: Reasoning): string | null {
  if (effort === 'none') return null;
  if (effort !== null) return WORDS[effort];
  if (budgetTokens === null) return 'medium';
  if (budgetTokens <= LOW_TOKENS) return 'low';
  return budgetTokens <= MEDIUM_TOKENS ? 'medium' : 'high';
}

/** Google's table for its OpenAI-compatible endpoint. */
const LOW_TOKENS = 1024;
const MEDIUM_TOKENS = 8192;

function writeOutput({ output, names }: Prompt): object {
  if (output === null) return {};
  if (output.kind === 'json')
    throw unsayable(names.output, 'Bedrock answers in JSON only by a schema', 'Ask for json_schema.');
  const { name, description, schema } = output;
  const jsonSchema = {
    schema: JSON.stringify(closed(schema)),
    ...(name === '' ? {} : { name }),
    ...(description === '' ? {} : { description }),
  };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

/** Bedrock cannot be told to call nothing: tools that may not be called are not offered, unless the conversation has calls. */
function writeTools({ tools, toolChoice, turns, names }: Prompt): object | null {
  if (tools.length === 0) return null;
  if (toolChoice?.mode === 'none') {
    if (turns.some(({ parts }) => parts.some(({ kind }) => kind === 'tool_call' || kind === 'tool_result')))
      throw unsayable(names.toolChoice, 'Bedrock cannot be kept from its tools once one was called');
    return null;
  }
  const only = toolChoice?.only ?? [];
  const offered = only.length === 0 ? tools : tools.filter(({ name }) => only.includes(name));
  return { tools: offered.flatMap(writeTool), ...writeToolChoice(toolChoice) };
}

function writeTool({ name, description, schema, strict, cache }: Tool): object[] {
  const toolSpec = {
    name,
    ...(description === '' ? {} : { description }),
    inputSchema: { json: schema ?? { type: 'object', properties: {} } },
    ...(strict === true ? { strict } : {}),
  };
  return [{ toolSpec }, ...cachePoint(cache)];
}

function writeToolChoice(choice: Prompt['toolChoice']): object {
  if (choice === null || choice.mode !== 'required') return {};
  const [first] = choice.only;
  const named = first !== undefined && choice.only.length === 1;
  return { toolChoice: named ? { tool: { name: first } } : { any: {} } };
}
