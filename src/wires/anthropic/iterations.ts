import {
  addTokens,
  readTokens,
  sameTokens,
  toMeters,
  withinTokens,
  type CountedTokens,
  type Tokens,
} from './counts.ts';
import type { Usage } from '#terms';
import { asObject, asText } from '../loose-json.ts';
import type { UsageObject } from '../wire.ts';

/** What one answer consumed: at the answering model's prices, and at those of other models. */
export type AnswerTokens = CountedTokens & { readonly others: NonNullable<Usage['others']> };

type Iteration = {
  readonly type: string;
  /** Empty where the entry names none: it is the answering model's. */
  readonly model: string;
  readonly tokens: Tokens;
  readonly sound: boolean;
};

/**
 * Splits an answer's usage over the inferences it took (beta, SDK 1.12.0, `BetaIterationsUsage`). The counts at the top
 * leave out compactions and advisors, and of several turns may show one; so the turns are summed.
 */
export function readAnswerTokens(usage: UsageObject, top: CountedTokens): AnswerTokens | 'absurd' {
  const iterations = readIterations(usage['iterations']);
  if (iterations === 'absurd') return 'absurd';
  if (iterations.length === 0) return { ...top, others: [] };
  const own = readTurns(iterations, top.tokens);
  const compactions = tokensOf(iterations.filter(({ type }) => type === 'compaction'));
  const advisors = iterations.filter(({ type }) => type === 'advisor_message');
  return {
    tokens: addTokens([own.tokens, ...compactions]),
    sound: top.sound && own.sound && iterations.every((one) => one.sound && KNOWN_TYPES.has(one.type)),
    others: [...own.declined, ...advisors].map(({ model, tokens }) => {
      return { model, meters: toMeters(tokens, undefined) };
    }),
  };
}

const KNOWN_TYPES: ReadonlySet<string> = new Set(['message', 'fallback_message', 'compaction', 'advisor_message']);

type Turns = CountedTokens & { readonly declined: readonly Iteration[] };

/** The turns of the model that answered, and those of models that declined, which are billed once they wrote something. */
function readTurns(iterations: readonly Iteration[], top: Tokens): Turns {
  const turns = iterations.filter(({ type }) => type === 'message' || type === 'fallback_message');
  const last = turns.findLast(({ type }) => type === 'fallback_message') ?? turns.at(-1);
  if (last === undefined) return { tokens: top, sound: true, declined: [] };
  const own = turns.filter(({ model }) => model === '' || last.model === '' || model === last.model);
  const sum = addTokens(tokensOf(own));
  const refused = turns.filter((turn) => !own.includes(turn));
  const declined = refused.filter(({ tokens }) => (tokens.output ?? 0) > 0);
  if (last.type !== 'fallback_message' && refused.length === 0)
    // Turns that do not cover the top are not all of them: then the top is the better account.
    return withinTokens(top, sum) ? { tokens: sum, sound: true, declined } : { tokens: top, sound: false, declined };
  // With a fallback the top is the answering model's alone; where it is proven to hold the others too, they are taken out.
  if (sameTokens(top, addTokens(tokensOf(turns)))) return { tokens: sum, sound: true, declined };
  return { tokens: top, sound: sameTokens(top, sum), declined };
}

function readIterations(value: unknown): readonly Iteration[] | 'absurd' {
  if (!Array.isArray(value)) return [];
  const iterations: Iteration[] = [];
  for (const item of value as readonly unknown[]) {
    const entry = asObject(item);
    const counted = entry === null ? 'absurd' : readTokens(entry);
    if (entry === null || counted === 'absurd') return 'absurd';
    const { type, model } = entry;
    iterations.push({
      type: asText(type),
      model: asText(model),
      ...counted,
    });
  }
  return iterations;
}

function tokensOf(iterations: readonly Iteration[]): readonly Tokens[] {
  return iterations.map(({ tokens }) => tokens);
}
