import { completeInSandbox, type SandboxCompletion, type SandboxCounts, type SandboxMessage } from './completion.ts';
import {
  answerEvents,
  answerJson,
  asLimit,
  asObjects,
  asText,
  namedEvent,
  refuse,
  textOf,
  type JsonObject,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

export function answerResponses(call: SandboxCall): SandboxAnswer {
  const { body } = call;
  const messages = messagesOf(body);
  if (body === null || messages === null) return refuse("'input' must be a text or a list of items.");
  const completion = completeInSandbox({
    model: asText(body['model']),
    messages,
    maxTokens: asLimit(body['max_output_tokens']),
    choices: 1,
    keySetting: 'OPENAI_API_KEY',
  });
  const draft = draftOf(call, completion);
  return body['stream'] === true ? answerEvents(streamOf(draft)) : answerJson(draft.finished);
}

function messagesOf(body: JsonObject | null): SandboxMessage[] | null {
  const input = body?.['input'];
  if (body === null || asText(body['model']) === '') return null;
  if (typeof input !== 'string' && !Array.isArray(input)) return null;
  const system = asText(body['instructions']);
  const instructions = system === '' ? [] : [{ role: 'system', text: system }];
  if (typeof input === 'string') return [...instructions, { role: 'user', text: input }];
  const items = asObjects(input).map((item) => ({ role: asText(item['role']), text: textOf(item['content']) }));
  return [...instructions, ...items];
}

/** One response, from its beginning to its end. */
type Draft = {
  readonly begun: JsonObject;
  readonly finished: JsonObject & { readonly status: string };
  readonly tokens: readonly string[];
  readonly text: string;
  readonly itemId: string;
  readonly outputIndex: number;
  readonly thought: JsonObject | null;
  readonly item: JsonObject;
};

function draftOf({ body, unique, createdS }: SandboxCall, { tokens, finishReason, counts }: SandboxCompletion): Draft {
  const text = tokens.join('');
  const itemId = `msg_sandbox_${unique}`;
  const thought = counts.reasoning > 0 ? { id: `rs_sandbox_${unique}`, type: 'reasoning', summary: [] } : null;
  const isCut = finishReason === 'length';
  const status = isCut ? 'incomplete' : 'completed';
  const item = { id: itemId, type: 'message', status, role: 'assistant', content: [partOf(text)] };
  const common = {
    id: `resp_sandbox_${unique}`,
    object: 'response',
    created_at: createdS,
    error: null,
    instructions: body?.['instructions'] ?? null,
    max_output_tokens: body?.['max_output_tokens'] ?? null,
    metadata: body?.['metadata'] ?? {},
    model: asText(body?.['model']),
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
  };
  return {
    begun: { ...common, status: 'in_progress', incomplete_details: null, output: [], usage: null },
    finished: {
      ...common,
      status,
      incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
      output: thought === null ? [item] : [thought, item],
      usage: usageOf(counts),
    },
    tokens,
    text,
    itemId,
    outputIndex: thought === null ? 0 : 1,
    thought,
    item,
  };
}

function streamOf({ begun, finished, tokens, text, itemId, outputIndex, thought, item }: Draft): string[] {
  const events: string[] = [];
  const send = (type: string, more: JsonObject): void => {
    events.push(namedEvent({ type, ...more, sequence_number: events.length }));
  };
  const at = { item_id: itemId, output_index: outputIndex, content_index: 0 };
  send('response.created', { response: begun });
  send('response.in_progress', { response: begun });
  if (thought !== null) {
    send('response.output_item.added', { output_index: 0, item: thought });
    send('response.output_item.done', { output_index: 0, item: thought });
  }
  send('response.output_item.added', {
    output_index: outputIndex,
    item: { ...item, status: 'in_progress', content: [] },
  });
  send('response.content_part.added', { ...at, part: partOf('') });
  for (const delta of tokens) send('response.output_text.delta', { ...at, delta, logprobs: [] });
  send('response.output_text.done', { ...at, text, logprobs: [] });
  send('response.content_part.done', { ...at, part: partOf(text) });
  send('response.output_item.done', { output_index: outputIndex, item });
  send(`response.${finished.status}`, { response: finished });
  return events;
}

function partOf(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function usageOf({ prompt, cached, text, reasoning }: SandboxCounts): JsonObject {
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: text + reasoning,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + text + reasoning,
  };
}
