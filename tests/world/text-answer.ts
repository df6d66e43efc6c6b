import type { Answer } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import type { BilledUsage } from './bill.ts';
import { seededRandom } from './random.ts';
import type { ModelRequest } from './request-check.ts';

/** Legacy completions report totals only. */
function toWireTextUsage(usage: BilledUsage): Record<string, number> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

export function toWireCompletion(answer: Answer, request: ModelRequest, behaviour: Behaviour): string {
  const text = answer.pieces.join('');
  return JSON.stringify({
    id: answer.id,
    object: 'text_completion',
    created: answer.created,
    model: answer.snapshot,
    choices: Array.from({ length: request.choices }, (_, index) => ({
      text,
      index,
      logprobs: null,
      finish_reason: 'stop',
    })),
    ...(behaviour.usage === 'none' ? {} : { usage: toWireTextUsage(answer.usage) }),
  });
}

/** The `data:` payloads of a stream, `[DONE]` last. */
export function* toWireCompletionChunks(
  answer: Answer,
  request: ModelRequest,
  behaviour: Behaviour,
): Generator<string> {
  const usage = toWireTextUsage(answer.usage);
  const withUsage = request.includeUsage && behaviour.usage !== 'none';
  const chunk = (choices: unknown[], used: Record<string, number> | null): string =>
    JSON.stringify({
      id: answer.id,
      object: 'text_completion',
      created: answer.created,
      choices,
      model: answer.snapshot,
      ...(withUsage || used !== null ? { usage: used } : {}),
    });
  const choice = (text: string, finish: string | null) => [{ text, index: 0, logprobs: null, finish_reason: finish }];
  for (const piece of answer.pieces) yield chunk(choice(piece, null), null);
  yield chunk(choice('', 'stop'), behaviour.usage === 'on_finish_chunk' ? usage : null);
  if (withUsage && behaviour.usage === undefined) yield chunk([], usage);
  yield '[DONE]';
}

/** Without an `id`, as OpenAI's. */
export function toWireEmbeddings(
  answer: Answer,
  request: ModelRequest,
  behaviour: Behaviour & { seed: number },
): string {
  const random = seededRandom(behaviour.seed + 2);
  const vector = (): readonly number[] | string => {
    const numbers = Float32Array.from({ length: request.dimensions }, () => random.next() * 2 - 1);
    return request.base64 ? Buffer.from(numbers.buffer).toString('base64') : Array.from(numbers);
  };
  const { promptTokens } = answer.usage;
  return JSON.stringify({
    object: 'list',
    data: Array.from({ length: request.choices }, (_, index) => ({ object: 'embedding', index, embedding: vector() })),
    model: answer.snapshot,
    ...(behaviour.usage === 'none' ? {} : { usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } }),
  });
}
