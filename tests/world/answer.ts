import type { Behaviour } from './behaviour.ts';
import type { BilledUsage } from './bill.ts';
import { seededRandom, type Random } from './random.ts';
import type { ModelRequest } from './request-check.ts';

/** What will be answered, decided before the first byte. */
export type Answer = {
  readonly id: string;
  readonly created: number;
  readonly snapshot: string;
  /** The text, in the pieces a stream delivers it in. */
  readonly pieces: readonly string[];
  readonly usage: BilledUsage;
};

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
/** OpenAI caches prompts from 1,024 tokens on, in steps of 128. */
const CACHE_FROM_TOKENS = 1024;
const CACHE_STEP_TOKENS = 128;
const LONG_PIECE_CHARS = 16_384;

/**
 * Counts that depend on the seed and the request alone. Prompt tokens never exceed the request's bytes, as no
 * tokenizer makes more tokens than bytes: a bound on the cost made from the bytes must hold here too.
 */
export function decideUsage(
  request: ModelRequest,
  bodyBytes: number,
  behaviour: Behaviour & { seed: number },
): BilledUsage {
  const random = seededRandom(behaviour.seed);
  const promptTokens = behaviour.prompt_tokens ?? random.between(Math.ceil(bodyBytes / 6), Math.ceil(bodyBytes / 3));
  if (request.operation !== 'chat') return plainUsage(request, { promptTokens, behaviour, random });
  const steps = promptTokens < CACHE_FROM_TOKENS ? 0 : Math.floor(promptTokens / CACHE_STEP_TOKENS);
  const cachedTokens = behaviour.cached_tokens ?? random.between(0, steps) * CACHE_STEP_TOKENS;
  const wanted = behaviour.completion_tokens ?? random.between(1, 400);
  const completionTokens = Math.min(wanted, request.maxOutputTokens ?? wanted);
  const reasoning = behaviour.reasoning_tokens ?? (request.served.reasons ? random.between(0, completionTokens) : 0);
  return { promptTokens, cachedTokens, completionTokens, reasoningTokens: Math.min(reasoning, completionTokens) };
}

/** Legacy completions and embeddings know neither cached nor reasoning tokens; embeddings answer with no tokens at all. */
function plainUsage(
  request: ModelRequest,
  seen: { promptTokens: number; behaviour: Behaviour; random: Random },
): BilledUsage {
  const wanted = seen.behaviour.completion_tokens ?? seen.random.between(1, 400) * request.choices;
  const most = (request.maxOutputTokens ?? wanted) * request.choices;
  const completionTokens = request.operation === 'embeddings' ? 0 : Math.min(wanted, most);
  return { promptTokens: seen.promptTokens, cachedTokens: 0, completionTokens, reasoningTokens: 0 };
}

export function decidePieces(behaviour: Behaviour & { seed: number }): string[] {
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

function toWireUsage(usage: BilledUsage): Record<string, unknown> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The body of a non-streaming answer. */
export function toWireAnswer(answer: Answer, request: ModelRequest, behaviour: Behaviour): string {
  const message = { role: 'assistant', content: answer.pieces.join(''), refusal: null, annotations: [] };
  return JSON.stringify({
    id: answer.id,
    object: 'chat.completion',
    created: answer.created,
    model: answer.snapshot,
    choices: Array.from({ length: request.choices }, (_, index) => ({
      index,
      message,
      logprobs: null,
      finish_reason: 'stop',
    })),
    ...(behaviour.usage === 'none' ? {} : { usage: toWireUsage(answer.usage) }),
    service_tier: 'default',
    system_fingerprint: 'fp_50cad350e4',
  });
}

/** The `data:` payloads of a stream, `[DONE]` last. */
export function* toWireChunks(answer: Answer, request: ModelRequest, behaviour: Behaviour): Generator<string> {
  const usage = toWireUsage(answer.usage);
  const withUsage = request.includeUsage && behaviour.usage !== 'none';
  const chunk = (choices: unknown[], used: Record<string, unknown> | null): string =>
    JSON.stringify({
      id: answer.id,
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.snapshot,
      service_tier: 'default',
      system_fingerprint: 'fp_50cad350e4',
      choices,
      // With the option every chunk carries the field; without it none does.
      ...(withUsage || used !== null ? { usage: used } : {}),
      ...(request.includeObfuscation ? { obfuscation: 'kT2' } : {}),
    });
  const choice = (delta: Record<string, unknown>, finish: string | null) => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  yield chunk(choice({ role: 'assistant', content: '', refusal: null }, null), null);
  for (const content of answer.pieces) yield chunk(choice({ content }, null), null);
  yield chunk(choice({}, 'stop'), behaviour.usage === 'on_finish_chunk' ? usage : null);
  if (withUsage && behaviour.usage === undefined) yield chunk([], usage);
  yield '[DONE]';
}

const ODD_BYTES = 7;

/** Events as the bytes of separate writes. */
export function* toWrites(payloads: Iterable<string>, framing: Behaviour['framing']): Generator<Buffer> {
  const end = framing === 'crlf' ? '\r\n\r\n' : '\n\n';
  if (framing === 'coalesced') {
    yield Buffer.from(Array.from(payloads, (payload) => `data: ${payload}${end}`).join(''));
    return;
  }
  for (const payload of payloads) {
    const event = Buffer.from(`data: ${payload}${end}`);
    const step = framing === 'odd_bytes' ? ODD_BYTES : event.length;
    for (let start = 0; start < event.length; start += step) yield event.subarray(start, start + step);
  }
}
