import type { Meters } from '#terms';
import { asObject } from '../loose-json.ts';
import type { UsageObject } from '../wire.ts';

/** The tokens of one inference, disjoint. What was not reported is absent. */
export type Tokens = Readonly<Partial<Record<TokenKind, number>>>;

type TokenKind = (typeof KINDS)[number];

const KINDS = ['input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output'] as const;

export type CountedTokens = {
  readonly tokens: Tokens;
  /** False when the parts contradict the totals. */
  readonly sound: boolean;
};

/** A number of tokens: undefined when the provider left it out, `absurd` when it is none. */
export function readCount(value: unknown): number | undefined | 'absurd' {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 'absurd';
}

/**
 * Reads the token counts that stand alike in a usage object and in each of its iterations. The cache is outside
 * `input_tokens`: all input is the sum of input, reads and writes (SDK 1.12.0, `Usage`).
 */
export function readTokens(usage: UsageObject): CountedTokens | 'absurd' {
  const input = readCount(usage['input_tokens']);
  const read = readCount(usage['cache_read_input_tokens']);
  const output = readCount(usage['output_tokens']);
  const written = readWritten(usage);
  if (input === 'absurd' || read === 'absurd' || output === 'absurd' || written === 'absurd') return 'absurd';
  return {
    tokens: {
      ...(input === undefined ? {} : { input }),
      ...(read === undefined ? {} : { cache_read: read }),
      ...written.tokens,
      ...(output === undefined ? {} : { output }),
    },
    sound: written.sound,
  };
}

/**
 * Cache writes by lifetime. What the breakdown leaves unexplained is a write of five minutes, the default: a stream tells
 * the breakdown at its start, and server tools write more after it.
 */
function readWritten(usage: UsageObject): CountedTokens | 'absurd' {
  const breakdown = asObject(usage['cache_creation']);
  const total = readCount(usage['cache_creation_input_tokens']);
  const short = readCount(breakdown?.['ephemeral_5m_input_tokens']);
  const long = readCount(breakdown?.['ephemeral_1h_input_tokens']);
  if (total === 'absurd' || short === 'absurd' || long === 'absurd') return 'absurd';
  const explained = (short ?? 0) + (long ?? 0);
  if (total === undefined && short === undefined && long === undefined) return { tokens: {}, sound: true };
  const all = total ?? explained;
  // More in the parts than in the total: the parts say what they are, and are billed.
  const rest = explained > all ? (short ?? 0) : all - (long ?? 0);
  return {
    tokens: { cache_write_5m: rest, ...(long === undefined ? {} : { cache_write_1h: long }) },
    sound: explained <= all,
  };
}

export function addTokens(all: readonly Tokens[]): Tokens {
  const sum: Partial<Record<TokenKind, number>> = {};
  for (const tokens of all)
    for (const kind of KINDS) {
      const count = tokens[kind];
      if (count !== undefined) sum[kind] = (sum[kind] ?? 0) + count;
    }
  return sum;
}

/** Whether these are the same counts; how cache writes are split is not compared, an absent count is none. */
export function sameTokens(left: Tokens, right: Tokens): boolean {
  return compared(left).every((count, at) => count === compared(right)[at]);
}

/** Whether no count of `part` exceeds that of `whole`. */
export function withinTokens(part: Tokens, whole: Tokens): boolean {
  return compared(part).every((count, at) => count <= (compared(whole)[at] ?? 0));
}

function compared(tokens: Tokens): readonly number[] {
  const written = (tokens.cache_write_5m ?? 0) + (tokens.cache_write_1h ?? 0);
  return [tokens.input ?? 0, tokens.cache_read ?? 0, written, tokens.output ?? 0];
}

/** @param thinking how many of the output tokens were thoughts, where the provider says so */
export function toMeters({ output, ...input }: Tokens, thinking: number | undefined): Meters {
  if (output === undefined) return input;
  if (thinking === undefined) return { ...input, output_text: output };
  // `output_tokens` is what is billed (SDK 1.12.0): no more thoughts than that.
  const thought = Math.min(thinking, output);
  return { ...input, output_text: output - thought, output_reasoning: thought };
}
