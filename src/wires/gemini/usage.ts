import type { Meter, Usage } from '#terms';
import { Counter, readGiven, toUsage, type Count, type Reading } from '../reading.ts';
import type { UsageContext, UsageObject } from '../wire.ts';
import { readModalities, takeModalities, type Modalities, type Split } from './modalities.ts';

/** The counts of one `usageMetadata`. Google leaves zeros out, so an absent count is undefined and adds nothing. */
type Counts = {
  readonly prompt: Count;
  readonly candidates: Count;
  readonly thoughts: Count;
  readonly tool: Count;
  readonly cached: Count;
  readonly total: Count;
};

type Details = { readonly prompt: Modalities; readonly cache: Modalities; readonly candidates: Modalities };

type Quantities = Partial<Record<Meter, number>>;

/** Which counts contain another one, by the provider's own total. */
type Convention = { readonly thoughts: Place; readonly tool: Place; readonly proven: boolean };

type Place = 'outside' | 'inside';

/**
 * Reads the `usageMetadata` of a Gemini answer (JSON text, or the parsed value) into disjoint meters: what was cached is
 * inside `promptTokenCount`, thoughts and the tools' prompt stand beside the other counts (@google/genai 3.1.0,
 * `GenerateContentResponseUsageMetadata`), but for servers whose total proves the thoughts inside. Null when the provider
 * did not say; a count that is no count leaves no meter at all.
 */
export function readGeminiUsage(usage: unknown, context: UsageContext): Usage | null {
  const given = readGiven(usage);
  if (given === null) return null;
  const { object } = given;
  const counter = new Counter();
  const counts = readCounts(object, counter);
  const details = readDetails(object, counter);
  const served = servedTier(object) ?? context.serviceTier;
  const around = served === undefined ? context : { ...context, serviceTier: served };
  if (counter.absurd) return toUsage(given, 'absurd', around);
  if (counts.prompt === undefined && counts.candidates === undefined && counts.total === undefined) return null;

  const input = readInput(counts, details);
  const output = readOutput(counts, details);
  const meters = { ...input.meters, ...output.meters, ...context.request, ...context.answer };
  return toUsage(given, { meters, sound: input.sound && output.sound }, around);
}

function readCounts(usage: UsageObject, counter: Counter): Counts {
  return {
    prompt: counter.count(usage['promptTokenCount']),
    candidates: counter.count(usage['candidatesTokenCount'] ?? usage['responseTokenCount']),
    thoughts: counter.count(usage['thoughtsTokenCount']),
    tool: counter.count(usage['toolUsePromptTokenCount']),
    cached: counter.count(usage['cachedContentTokenCount']),
    total: counter.count(usage['totalTokenCount']),
  };
}

function readDetails(usage: UsageObject, counter: Counter): Details {
  return {
    // Embeddings name it in the singular.
    prompt: readModalities(usage['promptTokensDetails'] ?? usage['promptTokenDetails'], counter),
    cache: readModalities(usage['cacheTokensDetails'], counter),
    candidates: readModalities(usage['candidatesTokensDetails'] ?? usage['responseTokensDetails'], counter),
  };
}

/** Cached tokens are a part of the prompt, modality by modality; what the details do not name is text. */
function readInput(counts: Counts, details: Details): Reading {
  const { tool, cached = 0 } = counts;
  const prompt = counts.prompt ?? Math.max(0, missingTokens(counts));
  const own = conventionOf(counts).tool === 'inside' ? prompt - (tool ?? 0) : prompt;
  const whole = takeModalities(own, details.prompt);
  const fromCache = takeModalities(cached, details.cache);
  // More cached than prompted: this server counts the cache beside the prompt, not inside.
  const inside = cached <= own;
  const fresh = inside
    ? subtract(whole.parts, fromCache.parts)
    : { parts: whole.parts, cached: fromCache.parts, sound: false };
  const named = (part: keyof Modalities): boolean => details.prompt[part] !== undefined;
  const meters: Quantities = {};
  meters['input'] = fresh.parts.text;
  if (named('audio')) meters['input_audio'] = fresh.parts.audio;
  if (named('image')) meters['input_image'] = fresh.parts.image;
  if (named('video')) meters['input_video'] = fresh.parts.video;
  if (tool !== undefined) meters['input_tool'] = tool;
  if (counts.cached !== undefined) {
    // Google prices cached video as cached text; no list has a price of its own for it.
    meters['cache_read'] = fresh.cached.text + fresh.cached.video;
    if (fresh.cached.audio > 0) meters['cache_read_audio'] = fresh.cached.audio;
    if (fresh.cached.image > 0) meters['cache_read_image'] = fresh.cached.image;
  }
  return { meters, sound: whole.sound && fromCache.sound && fresh.sound && counts.prompt !== undefined };
}

/** What of each modality was not cached. A cache without details may be larger than the prompt's text: then it held media. */
function subtract(whole: Split, cached: Split): { parts: Split; cached: Split; sound: boolean } {
  const parts = { text: 0, audio: 0, image: 0, video: 0 };
  const taken = { text: 0, audio: 0, image: 0, video: 0 };
  let homeless = 0;
  for (const modality of ['text', 'image', 'video', 'audio'] as const) {
    taken[modality] = Math.min(whole[modality], cached[modality]);
    parts[modality] = whole[modality] - taken[modality];
    homeless += cached[modality] - taken[modality];
  }
  const sound = homeless === 0;
  for (const modality of ['text', 'image', 'video', 'audio'] as const) {
    const moved = Math.min(parts[modality], homeless);
    taken[modality] += moved;
    parts[modality] -= moved;
    homeless -= moved;
  }
  return { parts, cached: taken, sound };
}

function readOutput(counts: Counts, details: Details): Reading {
  const { candidates, thoughts } = counts;
  const convention = conventionOf(counts);
  const missing = counts.prompt === undefined ? 0 : missingTokens(counts);
  const written = (candidates ?? 0) - (convention.thoughts === 'inside' ? (thoughts ?? 0) : 0);
  const { parts, sound } = takeModalities(written, details.candidates);
  const meters: Quantities = {};
  if (candidates !== undefined) meters['output_text'] = parts.text + parts.video;
  if (details.candidates.image !== undefined) meters['output_image'] = parts.image;
  if (details.candidates.audio !== undefined) meters['output_audio'] = parts.audio;
  if (thoughts !== undefined) meters['output_reasoning'] = thoughts;
  // Some servers count the thoughts in the total and name them nowhere: they are billed, so they are not dropped.
  else if (missing > 0) meters['output_reasoning'] = missing;
  return { meters, sound: sound && convention.proven };
}

const CONVENTIONS = [
  { thoughts: 'outside', tool: 'outside' },
  { thoughts: 'inside', tool: 'outside' },
  { thoughts: 'outside', tool: 'inside' },
  { thoughts: 'inside', tool: 'inside' },
] as const;

/** The documented convention, unless the provider's total holds for another one only. */
function conventionOf(counts: Counts): Convention {
  const { prompt = 0, candidates = 0, thoughts = 0, tool = 0, total } = counts;
  if (total === undefined) return { thoughts: 'outside', tool: 'outside', proven: true };
  for (const convention of CONVENTIONS) {
    if (convention.thoughts === 'inside' && thoughts > candidates) continue;
    if (convention.tool === 'inside' && tool > prompt) continue;
    const beside = (convention.thoughts === 'outside' ? thoughts : 0) + (convention.tool === 'outside' ? tool : 0);
    if (total === prompt + candidates + beside) return { ...convention, proven: true };
  }
  return { thoughts: 'outside', tool: 'outside', proven: false };
}

/** Tokens in the total that no count names. */
function missingTokens({ prompt = 0, candidates = 0, thoughts = 0, tool = 0, total }: Counts): number {
  return total === undefined ? 0 : total - prompt - candidates - thoughts - tool;
}

/** Vertex calls it `trafficType`, the Gemini API `serviceTier`. Provisioned throughput is paid by the hour, not by the token. */
const TIERS: ReadonlyMap<string, string> = new Map([
  ['on_demand', 'default'],
  ['on_demand_priority', 'priority'],
  ['on_demand_flex', 'flex'],
  ['on_demand_offpeak', 'offpeak'],
  ['standard', 'default'],
]);

const NOT_SAID: ReadonlySet<string> = new Set(['', 'unspecified', 'traffic_type_unspecified']);

function servedTier(usage: UsageObject): string | undefined {
  return readTier(usage['trafficType']) ?? readTier(usage['serviceTier']);
}

/** The tier by the name its price has; undefined where the provider names none. */
export function readTier(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.toLowerCase().replace(/^service_tier_/, '');
  return NOT_SAID.has(name) ? undefined : (TIERS.get(name) ?? name);
}
