import type { Seeded } from '../behaviour.ts';
import { eventStream, isRefusal, wholeJson, type Answer, type Operation, type StreamEvent } from '../dialect.ts';
import { countOf } from '../json-fields.ts';
import { planPrompt, planPieces } from '../token-plan.ts';
import { seededRandom } from '../random.ts';
import { DATA_ERROR, dataEvent, DONE, makeId, nowSeconds, openAiHeaders } from './answer-parts.ts';
import { chooseModel, readFields, readTexts, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';
import { readStreamFields, type StreamFields } from './stream-options.ts';

/** What a legacy completion writes at most when the request does not say. */
const COMPLETION_TOKENS = 16;

type CompletionRequest = Chosen &
  StreamFields & { readonly bodyBytes: number; readonly maxOutputTokens: number; readonly choices: number };

export const completions: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.completions);
  if (isRefusal(known)) return known;
  const { fields } = known;
  const stream = readStreamFields(fields);
  if (isRefusal(stream)) return stream;
  const chosen = chooseModel(fields['model'], { stock, serves: 'completions' });
  if (isRefusal(chosen)) return chosen;
  const prompts = readTexts(fields['prompt'], 'prompt');
  if (isRefusal(prompts)) return prompts;
  const request: CompletionRequest = {
    ...chosen,
    ...stream,
    bodyBytes: received.body.length,
    maxOutputTokens: countOf(fields['max_tokens'], COMPLETION_TOKENS),
    choices: prompts.texts.length * countOf(fields['n'], 1),
  };
  return { text: prompts.texts.at(-1) ?? '', answer: (behaviour) => answerCompletion(request, behaviour) };
};

function answerCompletion(request: CompletionRequest, behaviour: Seeded): Answer {
  const random = seededRandom(behaviour.seed);
  const prompt = planPrompt(request.bodyBytes, behaviour, random);
  const wanted = behaviour.completion_tokens ?? random.between(1, 400) * request.choices;
  const completion = Math.min(wanted, request.maxOutputTokens * request.choices);
  // Legacy completions report totals only.
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  const head = { id: makeId('cmpl-'), object: 'text_completion', created: nowSeconds() };
  const told = { request, behaviour, head, usage, pieces: planPieces(behaviour) };
  return {
    charge: {
      id: head.id,
      model: request.model,
      served: request.served,
      meters: { input: prompt, output: completion },
      words: [],
    },
    headers: openAiHeaders(),
    body: request.stream ? eventStream([...chunksOf(told)], DATA_ERROR) : wholeJson(wholeOf(told)),
  };
}

type Told = {
  readonly request: CompletionRequest;
  readonly behaviour: Seeded;
  readonly head: { readonly id: string; readonly object: string; readonly created: number };
  readonly usage: object;
  readonly pieces: readonly string[];
};

function wholeOf({ request, behaviour, head, usage, pieces }: Told): object {
  return {
    ...head,
    model: request.served.snapshot,
    choices: Array.from({ length: request.choices }, (_, index) => ({
      text: pieces.join(''),
      index,
      logprobs: null,
      finish_reason: 'stop',
    })),
    ...(behaviour.usage === 'none' ? {} : { usage }),
  };
}

/** `[DONE]` last. */
function* chunksOf({ request, behaviour, head, usage, pieces }: Told): Generator<StreamEvent> {
  const withUsage = request.includeUsage && behaviour.usage !== 'none';
  const chunk = (choices: object[], used: object | null): StreamEvent =>
    dataEvent(
      {
        ...head,
        choices,
        model: request.served.snapshot,
        ...(withUsage || used !== null ? { usage: used } : {}),
      },
      choices.some((choice) => 'text' in choice && choice.text !== ''),
    );
  const choice = (text: string, finish: string | null) => [{ text, index: 0, logprobs: null, finish_reason: finish }];
  for (const piece of pieces) yield chunk(choice(piece, null), null);
  const onFinish = behaviour.usage === 'on_finish_chunk';
  yield chunk(choice('', 'stop'), onFinish ? usage : null);
  if (withUsage && !onFinish) yield chunk([], usage);
  if (withUsage && behaviour.usage === 'duplicate') yield chunk([], usage);
  yield DONE;
}
