import type { UsageContext, UsageObject, UsageReader } from '../wire.ts';
import { asObject } from '../loose-json.ts';
import { Counter, readGiven, toUsage, type Count, type Reading } from '../reading.ts';

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
  if (counter.absurd) return toUsage(given, 'absurd', context);
  return toUsage(given, readMeters(counts, searched(search, context)), context);
};

type Around = { readonly search: Search; readonly place: Place };

function searched(search: Search, { quirks, request }: UsageContext): Around {
  if (search.found) return { search, place: 'unsummed' };
  const { web_search: searches } = request ?? {};
  return { search: searches === undefined ? search : { ...search, searches }, place: quirks.reasoning };
}

function readMeters(counts: Counts, { search, place }: Around): Reading {
  const input = readInput(counts);
  const written = readWritten(counts);
  const output = readOutput(counts, place);
  return {
    meters: {
      input: input.text,
      input_audio: input.audio,
      input_tool: search.citations,
      cache_read: counts.cached,
      cache_write: written.rest,
      cache_write_5m: written.short,
      cache_write_1h: written.long,
      output_text: output.text,
      output_reasoning: counts.reasoning,
      output_audio: counts.audioOut,
      audio_seconds: counts.audioSeconds,
      web_search: search.searches,
      request: search.requests,
    },
    sound: input.sound && written.sound && output.sound && totalHolds(counts, place),
  };
}

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

type Search = {
  readonly found: boolean;
  readonly citations: Count;
  readonly searches: Count;
  readonly requests: Count;
};

const NO_SEARCH: Search = { found: false, citations: undefined, searches: undefined, requests: undefined };

/**
 * Perplexity bills more than tokens: a fee per request by the size of the search, and for deep research the searches and the
 * citations it read.
 */
function readSearch(usage: UsageObject, counter: Counter): Search {
  const searches = counter.count(usage['num_search_queries']);
  const citations = counter.count(usage['citation_tokens']);
  if (usage['search_context_size'] === undefined && searches === undefined && citations === undefined) return NO_SEARCH;
  return citations === undefined
    ? { found: true, citations, searches: undefined, requests: 1 }
    : { found: true, citations, searches, requests: undefined };
}

type Input = { readonly text: Count; readonly audio: Count; readonly sound: boolean };

function readInput({ prompt, cached, written, audioIn, missed }: Counts): Input {
  if (prompt === undefined) return { text: undefined, audio: audioIn, sound: false };
  const inCache = (cached ?? 0) + (written ?? 0);
  const audio = audioIn ?? 0;
  const partitioned = missed === undefined || missed + (cached ?? 0) === prompt;
  const text = prompt - inCache - audio;
  // How much of the audio came from the cache is not said: both are taken as disjoint, and flagged.
  if (text >= 0) return { text, audio: audioIn, sound: partitioned && (inCache === 0 || audio === 0) };
  // Audio that was read from the cache is in both counts; what is left of the prompt is audio.
  if (inCache <= prompt) return { text: 0, audio: prompt - inCache, sound: false };
  // More cached than prompted: this provider counts the cache outside (seen at xAI).
  return { text: audio <= prompt ? prompt - audio : prompt, audio: audioIn, sound: false };
}

type Written = { readonly rest: Count; readonly short: Count; readonly long: Count; readonly sound: boolean };

/** Cache writes by lifetime, where they are told apart. */
function readWritten({ written, written5m, written1h }: Counts): Written {
  const told = (written5m ?? 0) + (written1h ?? 0);
  if (told === 0) return { rest: written, short: undefined, long: undefined, sound: true };
  const rest = (written ?? 0) - told;
  if (rest < 0) return { rest: written, short: undefined, long: undefined, sound: false };
  return { rest: rest === 0 ? undefined : rest, short: written5m, long: written1h, sound: true };
}

type Output = { readonly text: Count; readonly sound: boolean };

function readOutput(counts: Counts, place: Place): Output {
  const { completion, reasoning, audioOut } = counts;
  if (completion === undefined) return { text: undefined, sound: reasoning === undefined };
  const found = findReasoning(counts, place);
  const text = completion - (audioOut ?? 0) - (found === 'inside' ? (reasoning ?? 0) : 0);
  return { text: Math.max(text, 0), sound: text >= 0 && (found === 'inside') === (place === 'inside') };
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
