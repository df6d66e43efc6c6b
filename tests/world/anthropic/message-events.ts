import type { UsageManner } from '../behaviour.ts';
import { cut, type Said } from '../conversation.ts';
import type { StreamEvent } from '../dialect.ts';
import type { MessageTokens } from './messages.ts';

/** What a message tells, streamed or not. */
export type MessageTold = {
  readonly id: string;
  readonly model: string;
  readonly said: Said;
  readonly used: MessageTokens;
  readonly geo: string;
  readonly manner: UsageManner | undefined;
};

function event(type: string, fields: object = {}, says = false): StreamEvent {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}`, says };
}

export const ERROR_EVENT = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }).text;

/** What this provider signs its thoughts with, and takes back. */
export const SIGNATURE = 'EqQBCgIYAhIM1gbcDa9GJwZA';

/** What it signs. */
export const THOUGHT = 'What did it cost? ';

type Block = { readonly start: object; readonly deltas: readonly object[]; readonly says: boolean };

/** From `message_start` to `message_stop`. */
export function* messageEvents(told: MessageTold): Generator<StreamEvent> {
  const start: Record<string, unknown> = {
    id: told.id,
    type: 'message',
    role: 'assistant',
    model: told.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(told.manner === 'none' ? {} : { usage: startUsage(told) }),
  };
  yield event('message_start', { message: start });
  for (const [index, block] of blocksOf(told).entries()) {
    yield event('content_block_start', { index, content_block: block.start });
    if (index === 0) yield event('ping');
    for (const delta of block.deltas) yield event('content_block_delta', { index, delta }, block.says);
    yield event('content_block_stop', { index });
  }
  yield* endOf(told);
  yield event('message_stop');
}

function* endOf({ manner, used, said }: MessageTold): Generator<StreamEvent> {
  const delta = { stop_reason: said.calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null };
  const whole = { delta, ...(manner === 'none' ? {} : { usage: totalUsage(used) }) };
  if (manner === 'running') {
    const usage = { ...totalUsage(used), output_tokens: Math.ceil(used.output / 2) };
    yield event('message_delta', { delta: { stop_reason: null, stop_sequence: null }, usage });
  }
  if (manner !== 'late') yield event('message_delta', whole);
  if (manner === 'duplicate') yield event('message_delta', whole);
  if (manner !== 'late') return;
  yield event('message_delta', { delta });
  yield event('ping');
  yield event('message_delta', { delta, usage: totalUsage(used) });
}

/** The input is known when a message starts; the output has hardly begun. */
function startUsage({ used, geo, manner }: MessageTold): object {
  const { input, cached, write5m, write1h } = used;
  return {
    input_tokens: manner === 'on_finish_chunk' ? 0 : input,
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: Math.min(1, used.output),
    service_tier: 'standard',
    inference_geo: geo,
  };
}

/** Running totals, which replace what was said before. */
function totalUsage(used: MessageTokens): object {
  const { input, cached, write5m, write1h, output, thinking, searches, fetches } = used;
  return {
    input_tokens: input,
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: cached,
    output_tokens: output,
    ...(thinking > 0 ? { output_tokens_details: { thinking_tokens: thinking } } : {}),
    ...(searches > 0 ? { server_tool_use: { web_search_requests: searches, web_fetch_requests: fetches } } : {}),
  };
}

function blocksOf({ id, said, used }: MessageTold): Block[] {
  const blocks: Block[] = [];
  if (used.thinking > 0) {
    blocks.push({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [
        { type: 'thinking_delta', thinking: THOUGHT },
        { type: 'signature_delta', signature: SIGNATURE },
      ],
      says: true,
    });
  }
  for (let search = 0; search < used.searches; search += 1) {
    const toolId = `srvtoolu_${id.slice(4)}${search}`;
    const found = {
      type: 'web_search_result',
      title: 'Prices',
      url: 'https://example.com/',
      encrypted_content: 'Eo8D',
    };
    blocks.push(
      {
        start: { type: 'server_tool_use', id: toolId, name: 'web_search', input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: '{"query":"what it cost"}' }],
        says: false,
      },
      { start: { type: 'web_search_tool_result', tool_use_id: toolId, content: [found] }, deltas: [], says: false },
    );
  }
  for (const [at, { name, args }] of said.calls.entries())
    blocks.push(toolBlock({ id: `toolu_${id.slice(4)}${at}`, name }, cut(JSON.stringify(args))));
  const deltas = said.pieces.map((text) => ({ type: 'text_delta', text }));
  return deltas.length === 0 ? blocks : [...blocks, { start: { type: 'text', text: '' }, deltas, says: true }];
}

function toolBlock({ id, name }: { readonly id: string; readonly name: string }, json: readonly string[]): Block {
  const deltas = ['', ...json].map((piece) => ({ type: 'input_json_delta', partial_json: piece }));
  return { start: { type: 'tool_use', id, name, input: {} }, deltas, says: true };
}
