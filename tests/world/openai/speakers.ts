import type { SpeakerName } from '../behaviour.ts';
import { picoText } from '../pico.ts';
import type { TokenPlan } from '../token-plan.ts';

/** What a usage object says, as far as the providers differ in it. */
export type ChatUsage = TokenPlan & {
  readonly cacheWrite: number;
  readonly cost: bigint;
  readonly byok: boolean;
};

/** How one provider's chat differs from OpenAI's own. */
export type Speaker = {
  /** The status `stream_options` is refused with; null where it is taken. */
  readonly refusesOptions: number | null;
  /** Where a stream's usage stands although nobody asked for it. */
  readonly unasked: 'nowhere' | 'finish_chunk' | 'own_chunk';
  usage(used: ChatUsage): Readonly<Record<string, unknown>>;
  /** Headers of an answer; a stream's leave before its cost is known. */
  headers(used: ChatUsage, delivery: 'whole' | 'stream'): Readonly<Record<string, string>>;
  /** What a stream's finish chunk carries beside. */
  finish(usage: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
};

function openAiUsage({ prompt, cached, completion, reasoning, cacheWrite }: ChatUsage): Record<string, unknown> {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: cached,
      ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}),
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const OPENAI: Speaker = {
  refusesOptions: null,
  unasked: 'nowhere',
  usage: openAiUsage,
  headers: () => ({}),
  finish: () => ({}),
};

function counts({ prompt, completion }: ChatUsage): Record<string, unknown> {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function usdNumber(pico: bigint): number {
  return Number(picoText(pico));
}

/** 1 USD = 10^10 ticks. */
const PICO_PER_TICK = 100n;

function xaiUsage(used: ChatUsage): Record<string, unknown> {
  if (used.cost % PICO_PER_TICK !== 0n) throw new Error('choose prices that stay whole ticks');
  const usage = openAiUsage(used);
  return {
    ...usage,
    completion_tokens: used.completion - used.reasoning,
    num_sources_used: 0,
    cost_in_usd_ticks: Number(used.cost / PICO_PER_TICK),
  };
}

function openRouterUsage(used: ChatUsage): Record<string, unknown> {
  return {
    ...openAiUsage(used),
    cost: used.byok ? 0 : usdNumber(used.cost),
    is_byok: used.byok,
    cost_details: { upstream_inference_cost: used.byok ? usdNumber(used.cost) : null },
  };
}

function groqUsage(used: ChatUsage): Record<string, unknown> {
  const details = used.cached === 0 ? {} : { prompt_tokens_details: { cached_tokens: used.cached } };
  return { queue_time: 0.01, prompt_time: 0.002, completion_time: 0.3, total_time: 0.302, ...counts(used), ...details };
}

export const SPEAKERS: Readonly<Record<SpeakerName, Speaker>> = {
  openai: OPENAI,
  xai: { ...OPENAI, unasked: 'own_chunk', usage: xaiUsage },
  openrouter: { ...OPENAI, unasked: 'own_chunk', usage: openRouterUsage },
  groq: {
    ...OPENAI,
    usage: groqUsage,
    finish: (usage) => ({ x_groq: { id: 'req_01jbd6g2qdfw2adyrt2az8hz4w', usage } }),
  },
  mistral: {
    ...OPENAI,
    refusesOptions: 422,
    unasked: 'finish_chunk',
    usage: (used) => ({
      ...counts(used),
      ...(used.cached === 0
        ? {}
        : { prompt_tokens_details: { cached_tokens: used.cached }, num_cached_tokens: used.cached }),
    }),
  },
  deepseek: {
    ...OPENAI,
    usage: (used) => ({
      ...counts(used),
      prompt_tokens_details: { cached_tokens: used.cached },
      completion_tokens_details: { reasoning_tokens: used.reasoning },
      prompt_cache_hit_tokens: used.cached,
      prompt_cache_miss_tokens: used.prompt - used.cached,
    }),
  },
  litellm: {
    ...OPENAI,
    usage: (used) => ({
      ...openAiUsage(used),
      cache_read_input_tokens: used.cached,
      cache_creation_input_tokens: used.cacheWrite,
    }),
    headers: (used, delivery) => ({
      'x-litellm-response-cost': delivery === 'stream' ? '0.0' : String(usdNumber(used.cost)),
      'x-litellm-version': '1.98.0',
    }),
  },
  perplexity: {
    ...OPENAI,
    unasked: 'finish_chunk',
    usage: (used) => ({
      ...counts(used),
      search_context_size: 'low',
      cost: { input_tokens_cost: 0, output_tokens_cost: 0, request_cost: 0, total_cost: usdNumber(used.cost) },
    }),
  },
  vllm: { ...OPENAI, usage: (used) => ({ ...counts(used), prompt_tokens_details: null }) },
  together: { ...OPENAI, unasked: 'finish_chunk', usage: counts },
  fireworks: {
    ...OPENAI,
    unasked: 'finish_chunk',
    usage: (used) => ({ ...counts(used), prompt_tokens_details: { cached_tokens: used.cached } }),
  },
};
