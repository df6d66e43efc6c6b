import { completeInSandbox, countPrompt, type SandboxCounts, type SandboxMessage } from './completion.ts';
import {
  answerEvents,
  answerJson,
  asLimit,
  asObjects,
  asText,
  namedEvent,
  textOf,
  type JsonObject,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

function refuseAnthropic(message: string): SandboxAnswer {
  return answerJson({ type: 'error', error: { type: 'invalid_request_error', message }, request_id: null }, 400);
}

export function answerMessages({ body, unique }: SandboxCall): SandboxAnswer {
  const messages = messagesOf(body);
  if (body === null || messages === null) return refuseAnthropic('messages: Field required');
  const maxTokens = asLimit(body['max_tokens']);
  if (maxTokens === null) return refuseAnthropic('max_tokens: Field required');
  const { tokens, finishReason, counts } = completeInSandbox({
    model: asText(body['model']),
    messages,
    maxTokens,
    choices: 1,
    keySetting: 'ANTHROPIC_API_KEY',
  });
  const message = {
    id: `msg_sandbox_${unique}`,
    type: 'message',
    role: 'assistant',
    model: asText(body['model']),
    content: [{ type: 'text', text: tokens.join('') }],
    stop_reason: finishReason === 'length' ? 'max_tokens' : 'end_turn',
    stop_sequence: null,
    usage: usageOf(counts, counts.text + counts.reasoning),
  };
  if (body['stream'] !== true) return answerJson(message);
  return answerEvents(streamOf(message, { tokens, counts }));
}

/** Counting is free, and counts as an answer would. */
export function answerCountTokens({ body }: SandboxCall): SandboxAnswer {
  const messages = messagesOf(body);
  return messages === null
    ? refuseAnthropic('messages: Field required')
    : answerJson({ input_tokens: countPrompt(messages) });
}

function messagesOf(body: JsonObject | null): SandboxMessage[] | null {
  if (body === null || asText(body['model']) === '' || !Array.isArray(body['messages'])) return null;
  const system = textOf(body['system']);
  const turns = asObjects(body['messages']).map((message) => ({
    role: asText(message['role']),
    text: textOf(message['content']),
  }));
  return system === '' ? turns : [{ role: 'system', text: system }, ...turns];
}

type Message = JsonObject & { readonly stop_reason: string };

function streamOf(
  message: Message,
  { tokens, counts }: { tokens: readonly string[]; counts: SandboxCounts },
): string[] {
  const output = counts.text + counts.reasoning;
  return [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: usageOf(counts, Math.min(1, output)) },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...tokens.map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: message.stop_reason, stop_sequence: null },
      usage: usageOf(counts, output),
    },
    { type: 'message_stop' },
  ].map(namedEvent);
}

/** Anthropic counts the cache beside the input, and thinking inside the output. */
function usageOf({ prompt, cached, reasoning }: SandboxCounts, output: number): JsonObject {
  return {
    input_tokens: prompt - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { thinking_tokens: Math.min(reasoning, output) },
    service_tier: 'standard',
  };
}
