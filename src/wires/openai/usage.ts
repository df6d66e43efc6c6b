import type { UsageObject, UsageReader } from '../wire.ts';
import { asObject } from './loose-json.ts';
import { Counter, readGiven, toUsage, type Count, type Reading } from './reading.ts';

/** The counts of one usage object in the shape of chat completions. */
type Counts = {
  readonly prompt: Count;
  readonly completion: Count;
  readonly total: Count;
  readonly cached: Count;
  /** Hit and miss of a cache, where they are a partition of the prompt (DeepSeek). */
  readonly missed: Count;
  readonly written: Count;
  readonly written5m: Count;
  readonly written1h: Count;
  readonly audioIn: Count;
  readonly audioSeconds: Count;
  readonly reasoning: Count;
  readonly audioOut: Count;
};

/** Where reasoning tokens are: in the completion, beside it in the total, or in no total at all (Perplexity). */
type Place = 'inside' | 'outside' | 'unsummed';

/**
 * Reads the `usage` of a chat completion, a legacy completion or an embedding (JSON text, or the parsed value) into disjoint
 * meters: cached, cache-written and audio tokens are inside `prompt_tokens`, reasoning and audio tokens inside
 * `completion_tokens` (openai SDK 7.55.0, `CompletionUsage`). Null when the provider did not say.
 */
export const openAiChatUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  if (given === null) return null;
  const counter = new Counter();
  const counts = readCounts(given.object, counter);
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (counts.prompt === undefined && counts.completion === undefined) {
    // A cost alone is something said: nothing is computed beside it.
    const stated = context.quirks.reportedCost?.(given.object);
    return stated === undefined ? null : toUsage(given, { meters: {}, sound: true }, context);
  }
  const search = readSearch(given.object, counter);
  const place = search === null ? context.quirks.reasoning : 'unsummed';
  const input = readInput(counts);
  const output = readOutput(counts, place);
  if (counter.absurd) return toUsage(given, 'absurd', context);
  const meters = { ...input.meters, ...output.meters, ...search };
  return toUsage(given, { meters, sound: input.sound && output.sound && totalHolds(counts, place) }, context);
};

/** xAI counts reasoning beside the completion; its total is the sum of three. */
export const xaiChatUsage: UsageReader = (usage, context) =>
  openAiChatUsage(usage, { ...context, quirks: { ...context.quirks, reasoning: 'outside' } });

function readCounts(usage: UsageObject, counter: Counter): Counts {
  const input = asObject(usage['prompt_tokens_details']) ?? {};
  const output = asObject(usage['completion_tokens_details']) ?? {};
  const lifetimes = asObject(input['cache_creation_token_details']) ?? {};
  return {
    prompt: counter.count(usage['prompt_tokens']),
    completion: counter.count(usage['completion_tokens']),
    total: counter.count(usage['total_tokens']),
    // Servers name the same number differently, some twice (LiteLLM): only the first that is there counts.
    cached: counter.count(
      input['cached_tokens'] ??
        usage['prompt_cache_hit_tokens'] ??
        usage['num_cached_tokens'] ??
        usage['cached_tokens'] ??
        usage['cache_read_input_tokens'],
    ),
    missed: counter.count(usage['prompt_cache_miss_tokens']),
    written: counter.count(
      input['cache_write_tokens'] ??
        input['cache_creation_tokens'] ??
        input['cache_creation_input_tokens'] ??
        usage['cache_creation_input_tokens'],
    ),
    written5m: counter.count(lifetimes['ephemeral_5m_input_tokens']),
    written1h: counter.count(lifetimes['ephemeral_1h_input_tokens']),
    audioIn: counter.count(input['audio_tokens']),
    audioSeconds: counter.measure(usage['prompt_audio_seconds']),
    reasoning: counter.count(output['reasoning_tokens'] ?? usage['reasoning_tokens']),
    audioOut: counter.count(output['audio_tokens']),
  };
}

/**
 * Perplexity bills more than tokens: a fee per request by the size of the search, and for deep research the searches and the
 * citations it read. Null for everybody else.
 */
function readSearch(usage: UsageObject, counter: Counter): Reading['meters'] | null {
  const searches = counter.count(usage['num_search_queries']);
  const citations = counter.count(usage['citation_tokens']);
  if (usage['search_context_size'] === undefined && searches === undefined && citations === undefined) return null;
  const research = citations !== undefined;
  return { input_tool: citations, web_search: research ? searches : undefined, request: research ? undefined : 1 };
}

function readInput(counts: Counts): Reading {
  const { prompt, cached, written, audioIn, missed } = counts;
  if (prompt === undefined) return { meters: {}, sound: false };
  const inCache = (cached ?? 0) + (written ?? 0);
  const audio = audioIn ?? 0;
  const partitioned = missed === undefined || missed + (cached ?? 0) === prompt;
  const text = prompt - inCache - audio;
  if (text >= 0) {
    // How much of the audio came from the cache is not said: both are taken as disjoint, and flagged.
    const sound = partitioned && (inCache === 0 || audio === 0);
    return withWrites(counts, { meters: { input: text, input_audio: audioIn }, sound });
  }
  // Audio that was read from the cache is in both counts; what is left of the prompt is audio.
  if (inCache <= prompt)
    return withWrites(counts, { meters: { input: 0, input_audio: prompt - inCache }, sound: false });
  // More cached than prompted: this provider counts the cache outside (seen at xAI).
  const input = audio <= prompt ? prompt - audio : prompt;
  return withWrites(counts, { meters: { input, input_audio: audioIn }, sound: false });
}

/** Adds the cache, its writes by lifetime where they are told apart. */
function withWrites({ cached, written, written5m, written1h, audioSeconds }: Counts, read: Reading): Reading {
  const byLifetime = (written5m ?? 0) + (written1h ?? 0);
  const meters = { ...read.meters, audio_seconds: audioSeconds, cache_read: cached };
  if (byLifetime === 0 || byLifetime > (written ?? 0))
    return { meters: { ...meters, cache_write: written }, sound: read.sound && byLifetime === 0 };
  const rest = (written ?? 0) - byLifetime;
  return {
    meters: {
      ...meters,
      cache_write: rest === 0 ? undefined : rest,
      cache_write_5m: written5m,
      cache_write_1h: written1h,
    },
    sound: read.sound,
  };
}

function readOutput(counts: Counts, place: Place): Reading {
  const { completion, reasoning, audioOut } = counts;
  if (completion === undefined) return { meters: {}, sound: reasoning === undefined };
  const found = findReasoning(counts, place);
  const text = completion - (audioOut ?? 0) - (found === 'inside' ? (reasoning ?? 0) : 0);
  return {
    meters: { output_text: Math.max(text, 0), output_reasoning: reasoning, output_audio: audioOut },
    sound: text >= 0 && (found === 'inside') === (place === 'inside'),
  };
}

/** The provider's own total proves where reasoning is; where it proves nothing, it is where this provider puts it. */
function findReasoning({ prompt, completion, total, reasoning, audioOut }: Counts, place: Place): Place {
  if (reasoning === undefined || reasoning === 0 || place === 'unsummed') return place;
  const without = (prompt ?? 0) + (completion ?? 0);
  if (total === without + reasoning) return 'outside';
  if (reasoning + (audioOut ?? 0) > (completion ?? 0)) return 'outside';
  return total === without ? 'inside' : place;
}

function totalHolds({ prompt, completion, total, reasoning, audioSeconds }: Counts, place: Place): boolean {
  if (total === undefined) return true;
  const sum = (prompt ?? 0) + (completion ?? 0) + (place === 'outside' ? (reasoning ?? 0) : 0);
  // Mistral bills audio by the second; its tokens are in the total alone.
  return total === sum || (audioSeconds !== undefined && total > sum);
}
