import type { StreamEvent } from '../dialect.ts';
import { typedEvent } from './answer-parts.ts';

/** What a response tells, streamed or not. */
export type ResponseTold = {
  readonly id: string;
  readonly createdAt: number;
  readonly model: string;
  readonly tier: string;
  readonly echoed: object;
  readonly pieces: readonly string[];
  readonly searches: number;
  readonly reasons: boolean;
  readonly usage: object | null;
};

type Item = { readonly id: string; readonly type: string } & Readonly<Record<string, unknown>>;

/** The events of a stream; the last one holds the whole response. */
export function* responseEvents(told: ResponseTold): Generator<StreamEvent> {
  let sequence = 0;
  const event = (type: string, fields: object, says = false): StreamEvent => {
    sequence += 1;
    return typedEvent(type, { sequence_number: sequence - 1, ...fields }, says);
  };
  const output = itemsBefore(told);
  yield event('response.created', { response: responseOf(told, 'in_progress', []) });
  yield event('response.in_progress', { response: responseOf(told, 'in_progress', []) });
  for (const [index, item] of output.entries()) {
    const at = { output_index: index };
    yield event('response.output_item.added', { ...at, item: { ...item, status: 'in_progress' } });
    if (item.type === 'web_search_call') {
      for (const step of ['in_progress', 'searching', 'completed'])
        yield event(`response.web_search_call.${step}`, { ...at, item_id: item.id });
    }
    yield event('response.output_item.done', { ...at, item });
  }
  const message = messageOf(told);
  const at = { item_id: message.id, output_index: output.length, content_index: 0 };
  const started = { ...message, status: 'in_progress', content: [] };
  yield event('response.output_item.added', { output_index: output.length, item: started });
  yield event('response.content_part.added', { ...at, part: textPart('') });
  for (const delta of told.pieces) {
    yield event('response.output_text.delta', { ...at, delta, logprobs: [], obfuscation: 'kT2' }, true);
  }
  const text = told.pieces.join('');
  yield event('response.output_text.done', { ...at, text, logprobs: [] });
  yield event('response.content_part.done', { ...at, part: textPart(text) });
  yield event('response.output_item.done', { output_index: output.length, item: message });
  yield event('response.completed', { response: responseOf(told, 'completed', [...output, message]) });
}

function itemsBefore({ id, searches, reasons }: ResponseTold): Item[] {
  const calls = Array.from({ length: searches }, (_, index) => ({
    id: `ws_${id}_${index}`,
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: 'what it cost', queries: ['what it cost'] },
  }));
  // Opening a page that was found is not a search.
  const opened = { type: 'open_page', url: 'https://example.com/' };
  const open = { id: `ws_${id}_open`, type: 'web_search_call', status: 'completed', action: opened };
  return [
    ...(reasons ? [{ id: `rs_${id}`, type: 'reasoning', summary: [] }] : []),
    ...(searches > 0 ? [...calls, open] : []),
  ];
}

function messageOf({ id, pieces }: ResponseTold): Item {
  return {
    id: `msg_${id}`,
    type: 'message',
    status: 'completed',
    content: [textPart(pieces.join(''))],
    role: 'assistant',
  };
}

function textPart(text: string): object {
  return { type: 'output_text', annotations: [], logprobs: [], text };
}

function responseOf(told: ResponseTold, status: 'in_progress' | 'completed', output: readonly Item[]): object {
  return {
    id: told.id,
    object: 'response',
    created_at: told.createdAt,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    ...told.echoed,
    model: told.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: status === 'completed' ? told.tier : 'auto',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    ...(told.searches > 0 && status === 'completed' ? { tool_usage: toolUsage(told.searches) } : {}),
    top_p: 1,
    truncation: 'disabled',
    usage: status === 'completed' ? told.usage : null,
    user: null,
  };
}

function toolUsage(searches: number): object {
  const none = {
    input_tokens: 0,
    input_tokens_details: { image_tokens: 0, text_tokens: 0 },
    output_tokens: 0,
    total_tokens: 0,
  };
  return { image_gen: none, web_search: { num_requests: searches } };
}
