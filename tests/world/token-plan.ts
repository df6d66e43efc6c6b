import type { Seeded } from './behaviour.ts';
import { seededRandom, type Random } from './random.ts';

/** Tokens of one answer that writes text. `prompt` is everything that went in, `completion` everything that came out. */
export type TokenPlan = {
  readonly prompt: number;
  readonly cached: number;
  readonly completion: number;
  readonly reasoning: number;
};

export type TokenQuestion = {
  readonly bodyBytes: number;
  readonly maxOutputTokens: number | null;
  readonly reasons: boolean;
  readonly caches: boolean;
};

/** OpenAI caches prompts from 1,024 tokens on, in steps of 128. */
const CACHE_FROM_TOKENS = 1024;
const CACHE_STEP_TOKENS = 128;
const MOST_OUTPUT_TOKENS = 400;

/**
 * Counts that depend on the seed and the request alone. Prompt tokens never exceed the request's bytes, as no
 * tokenizer makes more tokens than bytes: a bound on the cost made from the bytes must hold here too.
 */
export function planTokens(question: TokenQuestion, behaviour: Seeded): TokenPlan {
  const random = seededRandom(behaviour.seed);
  const prompt = planPrompt(question.bodyBytes, behaviour, random);
  const steps = question.caches && prompt >= CACHE_FROM_TOKENS ? Math.floor(prompt / CACHE_STEP_TOKENS) : 0;
  const cached = behaviour.cached_tokens ?? random.between(0, steps) * CACHE_STEP_TOKENS;
  const wanted = behaviour.completion_tokens ?? random.between(1, MOST_OUTPUT_TOKENS);
  const completion = Math.min(wanted, question.maxOutputTokens ?? wanted);
  const reasoning = behaviour.reasoning_tokens ?? (question.reasons ? random.between(0, completion) : 0);
  return { prompt, cached, completion, reasoning: Math.min(reasoning, completion) };
}

export function planPrompt(bodyBytes: number, behaviour: Seeded, random: Random): number {
  return behaviour.prompt_tokens ?? random.between(Math.ceil(bodyBytes / 6), Math.ceil(bodyBytes / 3));
}

const WORDS = [
  'cost',
  'ledger',
  'tag',
  'naïve',
  'team',
  'växel',
  'entry',
  'sum',
  '分',
  'price',
  'whole',
  '"quoted"',
] as const;
const LONG_PIECE_CHARS = 16_384;

/** The answer's text, in the pieces a stream delivers it in. */
export function planPieces(behaviour: Seeded): string[] {
  if (behaviour.bytes !== undefined) return longPieces(behaviour.bytes);
  const random = seededRandom(behaviour.seed + 1);
  return Array.from({ length: random.between(1, 12) }, () => words(random));
}

function words(random: Random): string {
  return Array.from({ length: random.between(1, 6) }, () => `${random.pick(WORDS)} `).join('');
}

function longPieces(chars: number): string[] {
  const pieces: string[] = [];
  for (let left = chars; left > 0; left -= LONG_PIECE_CHARS) pieces.push('x'.repeat(Math.min(left, LONG_PIECE_CHARS)));
  return pieces;
}
