/**
 * How the upstream treats one request. Written into the user's message (`seed=17 delay=50 fault=cut_mid_stream`), or
 * set for the next requests through `script`. The message wins.
 */
export type Behaviour = Partial<Readonly<Record<NumberName, number>>> & {
  readonly fault?: Fault;
  readonly usage?: UsageManner;
  readonly framing?: 'crlf' | 'odd_bytes' | 'coalesced';
  /** What is charged for an answer that did not arrive whole; all of it when not said. */
  readonly bills_on_abort?: 'full' | 'partial' | 'none';
  /** Answers as this provider does, whose dialect is OpenAI's with differences. */
  readonly speaks?: SpeakerName;
  /** Refuses a field that OpenAI takes, with 400. */
  readonly refuses?: 'stream_options';
};

export type Seeded = Behaviour & { readonly seed: number };

const FAULTS = [
  'reset_before_headers',
  'reset_after_headers',
  'cut_mid_stream',
  'end_without_done',
  'stall_mid_stream',
  'never_answer',
  'wrong_content_type',
  'broken_json',
  /** A 200 whose only content is an error; nothing is charged. */
  'error_first',
  /** A 200 that turns into an error after half of the answer. */
  'error_mid_stream',
] as const;

export type Fault = (typeof FAULTS)[number];

const USAGE_MANNERS = ['none', 'on_finish_chunk', 'duplicate', 'late', 'running'] as const;

/**
 * Where a stream says its usage, if not where the provider documents it: nowhere, on the finish chunk alone, twice, after
 * keep-alives and empty chunks behind the finish, or as running totals in every chunk.
 */
export type UsageManner = (typeof USAGE_MANNERS)[number];

export const SPEAKER_NAMES = [
  'openai',
  'xai',
  'openrouter',
  'groq',
  'mistral',
  'deepseek',
  'litellm',
  'perplexity',
  'vllm',
  'together',
  'fireworks',
] as const;

export type SpeakerName = (typeof SPEAKER_NAMES)[number];

const NUMBERS = [
  'seed',
  /** Milliseconds before the status line. */
  'delay',
  /** Milliseconds between the events of a stream. */
  'chunk_delay',
  /** Answer with this HTTP status and the dialect's error envelope; nothing is billed. */
  'error',
  /** Seconds in the `retry-after` header of that error. */
  'retry_after',
  /** Length of the answer's text, for answers too large to hold. */
  'bytes',
  /** All input tokens, cached ones included. */
  'prompt_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'cache_write_5m_tokens',
  'cache_write_1h_tokens',
  'audio_tokens',
  'image_tokens',
  'tool_prompt_tokens',
  /** All output tokens, reasoning included. */
  'completion_tokens',
  'reasoning_tokens',
  /** Tools the answer calls, of those that are offered in turn. */
  'calls',
  /** Web searches made, where the request offers the tool. */
  'searches',
  /** Length of the audio that was sent. */
  'seconds',
  /** 1: the account's own key at the provider pays (OpenRouter). */
  'byok',
] as const;

type NumberName = (typeof NUMBERS)[number];

const WORDS: Readonly<Record<string, readonly string[]>> = {
  fault: FAULTS,
  usage: USAGE_MANNERS,
  framing: ['crlf', 'odd_bytes', 'coalesced'],
  bills_on_abort: ['full', 'partial', 'none'],
  speaks: SPEAKER_NAMES,
  refuses: ['stream_options'],
};

const DIRECTIVE = /(?:^|\s)([a-z_0-9]+)=([a-z0-9_]+)(?=\s|$)/g;

/** A misspelt directive would quietly test nothing, so it is an error. */
export function parseBehaviour(text: string): Behaviour {
  const found: Record<string, string | number> = {};
  for (const [, name = '', value = ''] of text.matchAll(DIRECTIVE)) {
    if (NUMBERS.some((known) => known === name) && /^\d+$/.test(value)) found[name] = Number(value);
    else if (WORDS[name]?.includes(value) === true) found[name] = value;
    else throw new Error(`the upstream knows no behaviour ${name}=${value}`);
  }
  return found;
}

export function behaviourText(behaviour: Behaviour): string {
  return Object.entries(behaviour)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
