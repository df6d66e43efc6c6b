import type { Seeded } from '../behaviour.ts';
import {
  eventStream,
  isRefusal,
  wholeJson,
  type Answer,
  type Operation,
  type Received,
  type Refusal,
  type StreamEvent,
} from '../dialect.ts';
import { contentText, countOf, isObject, type Fields } from '../json-fields.ts';
import { costOf, type BilledMeters } from '../price-list.ts';
import { planSaid, type Offer, type Said } from '../conversation.ts';
import { planTokens } from '../token-plan.ts';
import { DATA_ERROR, dataEvent, DONE, makeId, nowSeconds, openAiHeaders } from './answer-parts.ts';
import { callPieces, finishOf, likelihoodOf, wholeCall } from './chat-parts.ts';
import { checkConversation } from './check-conversation.ts';
import { chooseModel, readFields, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';
import { SPEAKERS, type ChatUsage, type Speaker } from './speakers.ts';
import { readStreamFields, type StreamFields } from './stream-options.ts';

type ChatRequest = Chosen &
  StreamFields & {
    readonly text: string;
    readonly bodyBytes: number;
    readonly maxOutputTokens: number | null;
    readonly choices: number;
    readonly tier: string;
    readonly offer: Offer;
    readonly logprobs: boolean;
  };

export const chat: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.chat);
  if (isRefusal(known)) return known;
  const request = readChat(known.fields, {
    received,
    chosen: chooseModel(known.fields['model'], { stock, serves: 'chat' }),
  });
  if (isRefusal(request)) return request;
  return { text: request.text, answer: (behaviour) => answerChat(request, behaviour) };
};

function readChat(
  fields: Fields,
  { received, chosen }: { received: Received; chosen: Chosen | Refusal },
): ChatRequest | Refusal {
  const stream = readStreamFields(fields);
  if (isRefusal(stream)) return stream;
  if (isRefusal(chosen)) return chosen;
  const said = lastUserText(fields['messages']);
  if (isRefusal(said)) return said;
  if (chosen.served.reasons && fields['max_tokens'] !== undefined) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return refusal(400, message, { param: 'max_tokens', code: 'unsupported_parameter' });
  }
  const conversation = checkConversation(fields);
  if (isRefusal(conversation)) return conversation;
  const limit = fields['max_completion_tokens'] ?? fields['max_tokens'];
  return {
    ...chosen,
    ...stream,
    ...said,
    bodyBytes: received.body.length,
    maxOutputTokens: typeof limit === 'number' ? limit : null,
    choices: countOf(fields['n'], 1),
    tier: servedTier(fields['service_tier'], chosen),
    offer: conversation,
    logprobs: fields['logprobs'] === true,
  };
}

/** A tier the model does not have is served, and billed, as the default one. */
export function servedTier(asked: unknown, { served }: Chosen): string {
  return typeof asked === 'string' && served.factors?.[asked] !== undefined ? asked : 'default';
}

function lastUserText(messages: unknown): { readonly text: string } | Refusal {
  const param = 'messages';
  if (!Array.isArray(messages)) {
    return refusal(400, "Missing required parameter: 'messages'.", { param, code: 'missing_required_parameter' });
  }
  let text = '';
  for (const item of messages) {
    if (!isObject(item) || typeof item['role'] !== 'string') {
      return refusal(400, "Invalid 'messages': expected objects with a role.", { param, code: 'invalid_type' });
    }
    if (item['role'] === 'user') text = contentText(item['content']);
  }
  if (messages.length > 0) return { text };
  return refusal(400, "Invalid 'messages': empty array.", { param, code: 'empty_array' });
}

type Told = {
  readonly request: ChatRequest;
  readonly behaviour: Seeded;
  readonly speaker: Speaker;
  readonly id: string;
  readonly said: Said;
  readonly used: ChatUsage;
};

function answerChat(request: ChatRequest, behaviour: Seeded): Answer | Refusal {
  const speaker = SPEAKERS[behaviour.speaks ?? 'openai'];
  const refusesWith = behaviour.refuses === 'stream_options' ? 400 : speaker.refusesOptions;
  if (request.asksOptions && refusesWith !== null) {
    return refusal(refusesWith, 'Extra inputs are not permitted: stream_options', { param: 'stream_options' });
  }
  const { meters, ...plan } = planChat(request, behaviour);
  const cost = costOf(request.served, meters, [request.tier]);
  const used: ChatUsage = { ...plan, cost, byok: behaviour.byok === 1 };
  const told = { request, behaviour, speaker, id: makeId('chatcmpl-'), said: planSaid(behaviour, request.offer), used };
  return {
    charge: { id: told.id, model: request.model, served: request.served, meters, words: [request.tier] },
    headers: { ...openAiHeaders(), ...speaker.headers(used, request.stream ? 'stream' : 'whole') },
    body: request.stream ? eventStream([...chunksOf(told)], DATA_ERROR) : wholeJson(wholeOf(told)),
  };
}

function planChat(request: ChatRequest, behaviour: Seeded) {
  const { served, bodyBytes, maxOutputTokens } = request;
  const plan = planTokens({ bodyBytes, maxOutputTokens, reasons: served.reasons, caches: true }, behaviour);
  const fresh = plan.prompt - plan.cached;
  const writes = served.tokens?.['cache_write'] !== undefined;
  const cacheWrite = writes ? (behaviour.cache_write_tokens ?? Math.floor(fresh / 2)) : 0;
  const meters: BilledMeters = {
    input: fresh - cacheWrite,
    cached: plan.cached,
    ...(writes ? { cache_write: cacheWrite } : {}),
    output: plan.completion,
  };
  return { ...plan, cacheWrite, meters };
}

function wholeOf({ request, behaviour, speaker, id, said, used }: Told): object {
  const content = said.calls.length > 0 ? null : said.pieces.join('');
  const calls = said.calls.length > 0 ? { tool_calls: said.calls.map((call, at) => wholeCall(call, { id, at })) } : {};
  const message = { role: 'assistant', content, refusal: null, annotations: [], ...calls };
  return {
    id,
    object: 'chat.completion',
    created: nowSeconds(),
    model: request.served.snapshot,
    choices: Array.from({ length: request.choices }, (_, index) => ({
      index,
      message,
      logprobs: request.logprobs ? { content: said.pieces.map(likelihoodOf), refusal: null } : null,
      finish_reason: finishOf(said),
    })),
    ...(behaviour.usage === 'none' ? {} : { usage: speaker.usage(used) }),
    service_tier: request.tier,
    system_fingerprint: 'fp_50cad350e4',
  };
}

type Place = 'nowhere' | 'finish_chunk' | 'own_chunk';

function usagePlace({ request, behaviour, speaker }: Told): Place {
  if (behaviour.usage === 'none') return 'nowhere';
  if (behaviour.usage === 'on_finish_chunk') return 'finish_chunk';
  if (speaker.unasked === 'finish_chunk') return 'finish_chunk';
  return request.includeUsage ? 'own_chunk' : speaker.unasked;
}

/** `[DONE]` last. */
function* chunksOf(told: Told): Generator<StreamEvent> {
  const { request, behaviour, speaker, said, used } = told;
  const { pieces } = said;
  const usage = speaker.usage(used);
  const place = usagePlace(told);
  const created = nowSeconds();
  const chunk = (choices: object[], { usage: shown, ...extra }: Fields = {}): StreamEvent =>
    dataEvent(
      {
        id: told.id,
        object: 'chat.completion.chunk',
        created,
        model: request.served.snapshot,
        service_tier: request.tier,
        system_fingerprint: 'fp_50cad350e4',
        choices,
        // With the option every chunk carries the field; without it none does.
        ...(shown !== undefined || place === 'own_chunk' ? { usage: shown ?? null } : {}),
        ...(request.includeObfuscation ? { obfuscation: 'kT2' } : {}),
        ...extra,
      },
      choices.some((choice) => 'delta' in choice && isObject(choice.delta) && Boolean(choice.delta['content'])),
    );
  const choice = (delta: object, finish: string | null = null, logprobs: object | null = null) => [
    { index: 0, delta, logprobs, finish_reason: finish },
  ];
  const running = (written: number): Fields => {
    if (behaviour.usage !== 'running' || place === 'nowhere') return {};
    const completion = Math.floor((used.completion * written) / pieces.length);
    return { usage: speaker.usage({ ...used, completion, reasoning: Math.min(used.reasoning, completion) }) };
  };
  yield chunk(choice({ role: 'assistant', content: '', refusal: null }));
  for (const [index, content] of pieces.entries()) {
    const likelihood = request.logprobs ? { content: [likelihoodOf(content)], refusal: null } : null;
    yield chunk(choice({ content }, null, likelihood), running(index + 1));
  }
  for (const [at, call] of said.calls.entries())
    for (const piece of callPieces(call, { id: told.id, at })) yield chunk(choice({ tool_calls: [piece] }));
  const beside = place === 'nowhere' ? {} : speaker.finish(usage);
  yield chunk(choice({}, finishOf(said)), { ...beside, ...(place === 'finish_chunk' ? { usage } : {}) });
  if (place === 'own_chunk') {
    if (behaviour.usage === 'late') {
      yield { text: ': keep-alive', says: false };
      yield chunk([]);
      yield { text: ': keep-alive', says: false };
    }
    yield chunk([], { usage });
    if (behaviour.usage === 'duplicate') yield chunk([], { usage });
  }
  yield DONE;
}
