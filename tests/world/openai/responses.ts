import type { Seeded } from '../behaviour.ts';
import { eventStream, isRefusal, wholeJson, type Answer, type Operation } from '../dialect.ts';
import { contentText, objectsOf } from '../json-fields.ts';
import { seededRandom } from '../random.ts';
import { planPieces, planTokens } from '../token-plan.ts';
import { makeId, nowSeconds, openAiHeaders, typedEvent } from './answer-parts.ts';
import { servedTier } from './chat.ts';
import { chooseModel, readFields, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';
import { responseEvents, type ResponseTold } from './response-events.ts';
import { readStreamFields } from './stream-options.ts';

type ResponsesRequest = Chosen & {
  readonly text: string;
  readonly stream: boolean;
  readonly bodyBytes: number;
  readonly maxOutputTokens: number | null;
  readonly tier: string;
  readonly offersSearch: boolean;
  /** Answered at once with a receipt, and written later. */
  readonly background: boolean;
  /** Repeated in the answer as they came. */
  readonly echoed: object;
};

const SEARCH_TOOLS = new Set(['web_search', 'web_search_preview', 'web_search_2025_08_26']);

export const responses: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.responses);
  if (isRefusal(known)) return known;
  const { fields } = known;
  const stream = readStreamFields(fields);
  if (isRefusal(stream)) return stream;
  if (stream.includeUsage) {
    return refusal(400, "Unknown parameter: 'stream_options.include_usage'.", { code: 'unknown_parameter' });
  }
  const chosen = chooseModel(fields['model'], { stock, serves: 'responses' });
  if (isRefusal(chosen)) return chosen;
  const limit = fields['max_output_tokens'];
  const request: ResponsesRequest = {
    ...chosen,
    text: inputText(fields['input']),
    stream: stream.stream,
    bodyBytes: received.body.length,
    maxOutputTokens: typeof limit === 'number' ? limit : null,
    tier: servedTier(fields['service_tier'], chosen),
    offersSearch: objectsOf(fields['tools']).some(({ type }) => SEARCH_TOOLS.has(String(type))),
    background: fields['background'] === true && !stream.stream,
    echoed: {
      instructions: fields['instructions'] ?? null,
      metadata: fields['metadata'] ?? {},
      tools: fields['tools'] ?? [],
      max_output_tokens: limit ?? null,
    },
  };
  return { text: request.text, answer: (behaviour) => answerResponses(request, behaviour) };
};

function inputText(input: unknown): string {
  if (typeof input === 'string') return input;
  return contentText(objectsOf(input).findLast(({ role }) => role === 'user')?.['content']);
}

const MOST_SEARCHES = 3;

function answerResponses(request: ResponsesRequest, behaviour: Seeded): Answer {
  const { served, bodyBytes, maxOutputTokens, tier } = request;
  const plan = planTokens({ bodyBytes, maxOutputTokens, reasons: served.reasons, caches: true }, behaviour);
  const fresh = plan.prompt - plan.cached;
  const writes = served.tokens?.['cache_write'] !== undefined;
  const cacheWrite = writes ? (behaviour.cache_write_tokens ?? Math.floor(fresh / 2)) : 0;
  const searches = searchesMade(request, behaviour);
  const told: ResponseTold = {
    id: makeId('resp_'),
    createdAt: nowSeconds(),
    model: served.snapshot,
    tier,
    echoed: request.echoed,
    pieces: planPieces(behaviour),
    searches,
    reasons: plan.reasoning > 0,
    usage: behaviour.usage === 'none' ? null : wireUsage({ ...plan, cacheWrite, writes }),
  };
  const meters = {
    input: fresh - cacheWrite,
    cached: plan.cached,
    ...(writes ? { cache_write: cacheWrite } : {}),
    output: plan.completion,
    ...(searches > 0 ? { web_search: searches } : {}),
  };
  return {
    charge: { id: told.id, model: request.model, served, meters, words: [tier] },
    headers: openAiHeaders(),
    body: request.stream ? eventStream([...responseEvents(told)], ERROR_EVENT) : wholeJson(wholeAnswer(request, told)),
  };
}

function wholeAnswer({ background }: ResponsesRequest, told: ResponseTold): object {
  const whole = wholeResponse(told);
  return background ? { ...whole, status: 'queued', background, output: [], usage: null } : whole;
}

/** A tool that is offered and not used costs nothing. */
function searchesMade({ offersSearch }: ResponsesRequest, behaviour: Seeded): number {
  if (!offersSearch) return 0;
  return behaviour.searches ?? seededRandom(behaviour.seed + 3).between(0, MOST_SEARCHES);
}

type UsedTokens = ReturnType<typeof planTokens> & { readonly cacheWrite: number; readonly writes: boolean };

function wireUsage({ prompt, cached, completion, reasoning, cacheWrite, writes }: UsedTokens): object {
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached, ...(writes ? { cache_write_tokens: cacheWrite } : {}) },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + completion,
  };
}

function wholeResponse(told: ResponseTold): object {
  const last = [...responseEvents(told)].at(-1)?.text ?? '';
  const { response }: { response: object } = JSON.parse(last.slice(last.indexOf('data: ') + 'data: '.length));
  return response;
}

const ERROR_EVENT = typedEvent('error', {
  code: 'server_error',
  message: 'The server had an error while processing your request. Sorry about that!',
  param: null,
  sequence_number: 9,
}).text;
