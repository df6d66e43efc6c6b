import type { Meter, Usage } from '#terms';

/** What the answer says outside its usage object. */
export type OpenAiUsageContext = {
  /** `service_tier` of the answer: what was served, not what was asked for. */
  readonly serviceTier?: string;
  /** A cost the provider states beside the usage (a header), decimal USD. */
  readonly reportedCost?: string;
};

/** The counts of one usage object; a count the provider left out or set to null is undefined, not zero. */
type Counts = {
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
  readonly total: number | undefined;
  readonly cached: number | undefined;
  readonly written: number | undefined;
  readonly audioIn: number | undefined;
  readonly reasoning: number | undefined;
  readonly audioOut: number | undefined;
};

type Side = { readonly meters: Partial<Record<Meter, number>>; readonly sound: boolean };

/**
 * Reads the `usage` of a chat completion or an embedding (JSON text, or the parsed value) into disjoint meters: cached,
 * cache-written and audio tokens are inside `prompt_tokens`, reasoning and audio tokens inside `completion_tokens`
 * (openai SDK 7.55.0, `CompletionUsage`). Null when the provider did not say. A count that is no count leaves no meter
 * at all, `inconsistent` and the raw object: half an answer would be billed as if it were the whole.
 */
export function parseOpenAiUsage(usage: unknown, answer: OpenAiUsageContext): Usage | null {
  const object = readObject(typeof usage === 'string' ? parseJson(usage) : usage);
  if (object === null) return null;
  const raw = typeof usage === 'string' ? usage : JSON.stringify(usage);
  const counts = readCounts(object);
  if (counts === 'absurd') return toUsage({ meters: {}, sound: false }, raw, answer);
  if (counts.prompt === undefined && counts.completion === undefined) return null;

  const input = readInput(counts);
  const output = readOutput(counts);
  const sound = input.sound && output.sound && totalHolds(counts);
  return toUsage({ meters: { ...input.meters, ...output.meters }, sound }, raw, answer);
}

function readCounts(usage: Readonly<Record<string, unknown>>): Counts | 'absurd' {
  const input = readObject(usage['prompt_tokens_details']) ?? {};
  const output = readObject(usage['completion_tokens_details']) ?? {};
  const counts = {
    prompt: usage['prompt_tokens'],
    completion: usage['completion_tokens'],
    total: usage['total_tokens'],
    // DeepSeek and Mistral name the same number differently where they send no details.
    cached: input['cached_tokens'] ?? usage['prompt_cache_hit_tokens'] ?? usage['num_cached_tokens'],
    written: input['cache_write_tokens'],
    audioIn: input['audio_tokens'],
    reasoning: output['reasoning_tokens'],
    audioOut: output['audio_tokens'],
  };
  const read: Record<string, number | undefined> = {};
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return 'absurd';
    read[name] = value;
  }
  return {
    prompt: read['prompt'],
    completion: read['completion'],
    total: read['total'],
    cached: read['cached'],
    written: read['written'],
    audioIn: read['audioIn'],
    reasoning: read['reasoning'],
    audioOut: read['audioOut'],
  };
}

function readInput({ prompt, cached, written, audioIn }: Counts): Side {
  if (prompt === undefined) return { meters: {}, sound: false };
  const inCache = (cached ?? 0) + (written ?? 0);
  const audio = audioIn ?? 0;
  const meters = (input: number, inputAudio: number | undefined): Side['meters'] =>
    present({ input, input_audio: inputAudio, cache_read: cached, cache_write: written });
  const text = prompt - inCache - audio;
  if (text >= 0) {
    // How much of the audio came from the cache is not said: both are taken as disjoint, and flagged.
    return { meters: meters(text, audioIn), sound: inCache === 0 || audio === 0 };
  }
  // Audio that was read from the cache is in both counts; what is left of the prompt is audio.
  if (inCache <= prompt) return { meters: meters(0, prompt - inCache), sound: false };
  // More cached than prompted: this provider counts the cache outside (seen at xAI).
  return { meters: meters(audio <= prompt ? prompt - audio : prompt, audioIn), sound: false };
}

function readOutput({ prompt, completion, total, reasoning, audioOut }: Counts): Side {
  if (completion === undefined) return { meters: {}, sound: reasoning === undefined };
  const thought = reasoning ?? 0;
  const audio = audioOut ?? 0;
  const text = completion - thought - audio;
  // The provider's own total proves where reasoning is: inside `completion_tokens`, or (xAI chat) beside them.
  const outside = thought > 0 && total === (prompt ?? 0) + completion + thought;
  const outputText = outside || text < 0 ? Math.max(completion - audio, 0) : text;
  return {
    meters: present({ output_text: outputText, output_reasoning: reasoning, output_audio: audioOut }),
    sound: text >= 0 && !outside,
  };
}

function totalHolds({ prompt, completion, total }: Counts): boolean {
  return total === undefined || total === (prompt ?? 0) + (completion ?? 0);
}

function present(quantities: Readonly<Partial<Record<Meter, number | undefined>>>): Side['meters'] {
  const meters: Side['meters'] = {};
  for (const [meter, quantity] of Object.entries(quantities) as [Meter, number | undefined][])
    if (quantity !== undefined) meters[meter] = quantity;
  return meters;
}

function toUsage({ meters, sound }: Side, raw: string, answer: OpenAiUsageContext): Usage {
  return {
    meters,
    origin: 'reported',
    ...(answer.serviceTier === undefined ? {} : { serviceTier: answer.serviceTier }),
    ...(answer.reportedCost === undefined ? {} : { reportedCost: answer.reportedCost }),
    ...(sound ? {} : { inconsistent: true }),
    raw,
  };
}

function readObject(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return value as Readonly<Record<string, unknown>>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Broken JSON says as little about usage as no usage: the caller estimates.
    return undefined;
  }
}
