import { randomBytes } from 'node:crypto';
import type { Seeded } from '../behaviour.ts';
import { eventStream, isRefusal, wholeJson, type Answer, type Operation } from '../dialect.ts';
import { isObject, objectsOf, parseObject } from '../json-fields.ts';
import { seededRandom } from '../random.ts';
import { planSaid, type Offer } from '../conversation.ts';
import { planTokens } from '../token-plan.ts';
import { checkConversation } from './check-conversation.ts';
import { ERROR_EVENT, messageEvents, type MessageTold } from './message-events.ts';
import { makeRequestId, readFields, refusal, type Asked } from './refusals.ts';

const FIELDS = new Set([
  'max_tokens',
  'messages',
  'model',
  'cache_control',
  'container',
  'diagnostics',
  'inference_geo',
  'metadata',
  'output_config',
  'service_tier',
  'speed',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
  'user_profile_id',
  'workspace_id',
]);

type MessageRequest = Asked & {
  readonly stream: boolean;
  readonly bodyBytes: number;
  readonly maxTokens: number;
  readonly thinks: boolean;
  /** Which lifetimes the request asks the cache for. */
  readonly caches: { readonly fiveMinutes: boolean; readonly oneHour: boolean };
  readonly offersSearch: boolean;
  readonly geo: string;
  readonly offer: Offer;
};

export const messages: Operation = (received, stock) => {
  const asked = readFields(received, { known: FIELDS, stock });
  if (isRefusal(asked)) return asked;
  const { fields } = asked;
  const maxTokens = fields['max_tokens'];
  if (typeof maxTokens !== 'number') return refusal(400, 'max_tokens: Field required');
  const offer = checkConversation(fields);
  if (isRefusal(offer)) return offer;
  const thinking = fields['thinking'];
  const body = received.body.toString('utf8');
  const request: MessageRequest = {
    ...asked,
    stream: fields['stream'] === true,
    bodyBytes: received.body.length,
    maxTokens,
    thinks: isObject(thinking) && thinking['type'] !== 'disabled',
    caches: {
      fiveMinutes: /"cache_control":\{"type":"ephemeral"(?:,"ttl":"5m")?\}/.test(body),
      oneHour: body.includes('"ttl":"1h"'),
    },
    offersSearch: objectsOf(fields['tools']).some(({ type }) => String(type).startsWith('web_search_')),
    geo: typeof fields['inference_geo'] === 'string' ? fields['inference_geo'] : 'global',
    offer,
  };
  return { text: asked.text, answer: (behaviour) => answerMessage(request, behaviour) };
};

function answerMessage(request: MessageRequest, behaviour: Seeded): Answer {
  const used = planMessage(request, behaviour);
  const told: MessageTold = {
    id: `msg_${randomBytes(12).toString('hex')}`,
    model: request.served.snapshot,
    said: planSaid(behaviour, request.offer),
    used,
    geo: request.geo,
    manner: behaviour.usage,
  };
  const { input, cached, write5m, write1h, output, searches } = used;
  return {
    charge: {
      id: told.id,
      model: request.model,
      served: request.served,
      meters: {
        input,
        cached,
        ...(write5m > 0 ? { write_5m: write5m } : {}),
        ...(write1h > 0 ? { write_1h: write1h } : {}),
        output,
        ...(searches > 0 ? { web_search: searches } : {}),
      },
      words: [request.geo],
    },
    headers: { 'request-id': makeRequestId(), 'anthropic-organization-id': 'f1c3a7de-0000-4000-8000-000000000000' },
    body: request.stream ? eventStream([...messageEvents(told)], ERROR_EVENT) : wholeJson(wholeMessage(told)),
  };
}

/** Disjoint, as Anthropic counts: input is what was neither read from the cache nor written to it. */
export type MessageTokens = {
  readonly input: number;
  readonly cached: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly output: number;
  readonly thinking: number;
  readonly searches: number;
  readonly fetches: number;
};

function planMessage(request: MessageRequest, behaviour: Seeded): MessageTokens {
  const { bodyBytes, maxTokens, thinks, caches } = request;
  const canCache = caches.fiveMinutes || caches.oneHour;
  const plan = planTokens({ bodyBytes, maxOutputTokens: maxTokens, reasons: thinks, caches: canCache }, behaviour);
  const random = seededRandom(behaviour.seed + 4);
  let fresh = plan.prompt - plan.cached;
  const take = (wanted: number): number => {
    const taken = Math.min(wanted, fresh);
    fresh -= taken;
    return taken;
  };
  const write5m = take(behaviour.cache_write_5m_tokens ?? (caches.fiveMinutes ? random.between(0, fresh) : 0));
  const write1h = take(behaviour.cache_write_1h_tokens ?? (caches.oneHour ? random.between(0, fresh) : 0));
  return {
    input: fresh,
    cached: plan.cached,
    write5m,
    write1h,
    output: plan.completion,
    thinking: plan.reasoning,
    searches: request.offersSearch ? (behaviour.searches ?? random.between(0, 2)) : 0,
    fetches: 0,
  };
}

/** What the stream adds up to. */
function wholeMessage(told: MessageTold): object {
  let message: Record<string, unknown> = {};
  const content: Record<string, unknown>[] = [];
  for (const { text } of messageEvents({ ...told, manner: told.manner === 'none' ? 'none' : undefined })) {
    const event: unknown = JSON.parse(text.slice(text.indexOf('data: ') + 'data: '.length));
    if (!isObject(event)) continue;
    const { message: started, content_block: block, delta, usage } = event;
    if (isObject(started)) message = { ...started };
    if (isObject(block)) content.push({ ...block });
    if (isObject(delta)) applyDelta({ message, block: content.at(-1) ?? {} }, delta);
    if (isObject(usage)) message['usage'] = { ...(isObject(message['usage']) ? message['usage'] : {}), ...usage };
  }
  return { ...message, content };
}

type Grown = { readonly message: Record<string, unknown>; readonly block: Record<string, unknown> };

function applyDelta({ message, block }: Grown, { type, ...delta }: Readonly<Record<string, unknown>>): void {
  if (type === undefined) Object.assign(message, delta);
  else if (type === 'input_json_delta') {
    const json = `${typeof block['json'] === 'string' ? block['json'] : ''}${String(delta['partial_json'])}`;
    block['json'] = json;
    const input = parseObject(json);
    if (input !== undefined) {
      block['input'] = input;
      delete block['json'];
    }
  } else for (const [name, value] of Object.entries(delta)) block[name] = `${String(block[name])}${String(value)}`;
}
