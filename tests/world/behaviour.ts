/**
 * How the upstream treats one request. Written into the user's message (`seed=17 delay=50 fault=cut_mid_stream`), or
 * set for the next requests through `script`. The message wins.
 */
export type Behaviour = {
  readonly seed?: number;
  /** Milliseconds before the status line. */
  readonly delay?: number;
  /** Milliseconds between the events of a stream. */
  readonly chunk_delay?: number;
  /** Answer with this HTTP status and OpenAI's error envelope; nothing is billed. */
  readonly error?: number;
  readonly fault?: Fault;
  readonly usage?: 'none' | 'on_finish_chunk';
  readonly framing?: 'crlf' | 'odd_bytes' | 'coalesced';
  /** Length of the answer's text, for answers too large to hold. */
  readonly bytes?: number;
  readonly prompt_tokens?: number;
  readonly cached_tokens?: number;
  readonly completion_tokens?: number;
  readonly reasoning_tokens?: number;
};

const FAULTS = [
  'reset_before_headers',
  'reset_after_headers',
  'cut_mid_stream',
  'end_without_done',
  'stall_mid_stream',
  'never_answer',
  'wrong_content_type',
  'broken_json',
] as const;

export type Fault = (typeof FAULTS)[number];

const NUMBERS = [
  'seed',
  'delay',
  'chunk_delay',
  'error',
  'bytes',
  'prompt_tokens',
  'cached_tokens',
  'completion_tokens',
  'reasoning_tokens',
] as const;

const WORDS: Readonly<Record<string, readonly string[]>> = {
  fault: FAULTS,
  usage: ['none', 'on_finish_chunk'],
  framing: ['crlf', 'odd_bytes', 'coalesced'],
};

const DIRECTIVE = /(?:^|\s)([a-z_]+)=([a-z0-9_]+)(?=\s|$)/g;

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
