import type { Behaviour } from './behaviour.ts';
import { behaviourText } from './behaviour.ts';
import type { Target } from './clients.ts';
import { makeCall, type Api, type CallOutcome } from './make-call.ts';
import { seededRandom, type Random } from './random.ts';
import { tagShape, type Attribution } from './tag-shapes.ts';

/** One call of a load, decided before it is sent. */
export type PlannedCall = {
  readonly number: number;
  readonly api: Api;
  readonly model: string;
  readonly stream: boolean;
  readonly askUsage: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly expected: Attribution;
  readonly text: string;
  readonly maxOutputTokens: number;
};

export type LoadOptions = {
  readonly calls: Iterable<PlannedCall>;
  readonly concurrency: number;
  /** Asked before every call; it may wait, for instance until a killed gateway is back. Without `/v1`. */
  readonly target: () => Promise<Target>;
  readonly onOutcome?: (outcome: CallOutcome) => void;
};

const MODELS: Readonly<Record<Api, readonly [string, ...string[]]>> = {
  chat: ['gpt-4o', 'gpt-4o-mini', 'o3', 'gpt-5-mini'],
  responses: ['gpt-4o', 'o3', 'gpt-5.6-luna'],
  messages: ['claude-haiku-4-5', 'claude-opus-4-5', 'claude-opus-4-8'],
  generateContent: ['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-2.5-flash-lite'],
};

export const ALL_APIS: readonly [Api, ...Api[]] = ['chat', 'responses', 'messages', 'generateContent'];

const LONG_TEXT_CHARS = 9_000;

export type PlanOptions = {
  readonly count: number;
  readonly seed: number;
  readonly behaviour?: Behaviour;
  /** Chat alone when not said. */
  readonly apis?: readonly [Api, ...Api[]];
};

/** Half of them streams, half of those asking for usage, all ways to tag and all models, one in five long enough to be cached. */
export function* planCalls({ count, seed, behaviour = {}, apis = ['chat'] }: PlanOptions): Generator<PlannedCall> {
  const random = seededRandom(seed);
  for (let number = 0; number < count; number += 1) {
    const { fields, expected } = tagShape(random);
    const api = apis.length > 1 ? random.pick(apis) : apis[0];
    yield {
      number,
      api,
      model: random.pick(MODELS[api]),
      stream: number % 2 === 1,
      askUsage: number % 4 === 1,
      fields: api === 'chat' || api === 'responses' ? fields : withoutOpenAis(fields),
      expected,
      text: `${promptText(random)} ${behaviourText({ seed: random.between(1, 1_000_000), ...behaviour })}`,
      maxOutputTokens: random.between(8, 500),
    };
  }
}

/** Fields that are OpenAI's own would be refused by the others: `user`, and metadata beside the tags. */
function withoutOpenAis({ user: _user, ...fields }: PlannedCall['fields']): PlannedCall['fields'] {
  const { metadata } = fields;
  if (typeof metadata !== 'object' || metadata === null || !('tags' in metadata)) return fields;
  return { ...fields, metadata: { tags: metadata.tags } };
}

function promptText(random: Random): string {
  const chars = random.next() < 0.2 ? LONG_TEXT_CHARS : random.between(4, 400);
  return 'What did this cost us? '.repeat(Math.ceil(chars / 23)).slice(0, chars);
}

/** Runs the calls through the official clients, at most `concurrency` at a time. Never rejects for a failed call. */
export async function driveLoad(options: LoadOptions): Promise<CallOutcome[]> {
  const outcomes: CallOutcome[] = [];
  const calls = options.calls[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = calls.next(); next.done !== true; next = calls.next()) {
      const target = await options.target();
      const outcome = await makeCall(next.value, target);
      outcomes.push(outcome);
      options.onOutcome?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return outcomes;
}
