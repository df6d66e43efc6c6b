import type { AnswerEvent, FinishReason, ProviderError } from '../answer.ts';
import { eventReader } from '../event-reader.ts';
import type { Fields } from '../fields.ts';
import { fieldsOf, textOf } from '../loose.ts';
import type { StreamReader } from '../side.ts';
import { JSON_TOOL } from './json-tool.ts';

const FINISHES: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tools',
  refusal: 'refused',
};

export function readAnswer(payload: unknown): readonly AnswerEvent[] {
  const message = fieldsOf(payload);
  if (message['type'] === 'error') return [{ kind: 'error', error: readError(payload, 0) }];
  const reader = new BlockReader();
  const events: AnswerEvent[] = [startOf(message)];
  const blocks: readonly unknown[] = Array.isArray(message['content']) ? message['content'] : [];
  for (const [index, block] of blocks.entries()) {
    reader.begin(fieldsOf(block), { index, events });
    reader.stop(index, events);
  }
  events.push(reader.finish(message));
  return events;
}

export function readStream(): StreamReader {
  const reader = new BlockReader();
  return eventReader((payload) => {
    const event = fieldsOf(payload);
    const events: AnswerEvent[] = [];
    const index = typeof event['index'] === 'number' ? event['index'] : 0;
    switch (event['type']) {
      case 'message_start':
        events.push(startOf(fieldsOf(event['message'])));
        break;
      case 'content_block_start':
        reader.begin(fieldsOf(event['content_block']), { index, events });
        break;
      case 'content_block_delta':
        reader.grow(fieldsOf(event['delta']), { index, events });
        break;
      case 'content_block_stop':
        reader.stop(index, events);
        break;
      case 'message_delta': {
        const delta = fieldsOf(event['delta']);
        if (typeof delta['stop_reason'] === 'string') events.push(reader.finish(delta));
        break;
      }
      case 'error':
        events.push({ kind: 'error', error: readError(payload, 0) });
        break;
      // Clients must pass over what they do not know (platform.claude.com, streaming, other events).
      default:
    }
    return events;
  });
}

type Call = { readonly call: number; argued: boolean };

type Into = { readonly index: number; readonly events: AnswerEvent[] };

/** The blocks of one message, whole or piece by piece. */
class BlockReader {
  readonly #calls = new Map<number, Call>();
  /** The block whose input is the answer. */
  #json = -1;

  begin(block: Fields, { index, events }: Into): void {
    switch (block['type']) {
      case 'text':
      case 'thinking':
        this.#write(block, events);
        return;
      case 'redacted_thinking':
        events.push({ kind: 'opaque', choice: 0, data: { by: 'anthropic', value: textOf(block['data']) } });
        return;
      case 'tool_use':
        this.#beginCall(block, { index, events });
        return;
      // What Anthropic's own tools did was not asked for.
      default:
    }
  }

  #beginCall(block: Fields, { index, events }: Into): void {
    const input = fieldsOf(block['input']);
    const json = Object.keys(input).length === 0 ? '' : JSON.stringify(input);
    if (block['name'] === JSON_TOOL) {
      this.#json = index;
      if (json !== '') events.push({ kind: 'text', choice: 0, text: json, logprobs: [] });
      return;
    }
    const call = { call: this.#calls.size, argued: json !== '' };
    this.#calls.set(index, call);
    const id = textOf(block['id']);
    const name = textOf(block['name']);
    events.push({ kind: 'tool_call', choice: 0, call: call.call, id, name, signature: null });
    if (json !== '') events.push({ kind: 'args', choice: 0, call: call.call, json });
  }

  grow(delta: Fields, { index, events }: Into): void {
    if (delta['type'] !== 'input_json_delta') {
      this.#write(delta, events);
      return;
    }
    const json = textOf(delta['partial_json']);
    if (json === '') return;
    if (index === this.#json) events.push({ kind: 'text', choice: 0, text: json, logprobs: [] });
    const call = this.#calls.get(index);
    if (call === undefined) return;
    call.argued = true;
    events.push({ kind: 'args', choice: 0, call: call.call, json });
  }

  /** A call without arguments says nothing on its way; JSON needs two braces. */
  stop(index: number, events: AnswerEvent[]): void {
    const call = this.#calls.get(index);
    if (call !== undefined && !call.argued) events.push({ kind: 'args', choice: 0, call: call.call, json: '{}' });
  }

  finish(message: Fields): AnswerEvent {
    const reason = FINISHES[textOf(message['stop_reason'])] ?? 'stop';
    const stop = message['stop_sequence'];
    return {
      kind: 'finish',
      choice: 0,
      reason: reason === 'tools' && this.#json !== -1 ? 'stop' : reason,
      stop: typeof stop === 'string' ? stop : null,
    };
  }

  #write(piece: Fields, events: AnswerEvent[]): void {
    const { text, thinking, signature } = piece;
    if (typeof text === 'string' && text !== '') events.push({ kind: 'text', choice: 0, text, logprobs: [] });
    if (typeof thinking === 'string' && thinking !== '') events.push({ kind: 'reasoning', choice: 0, text: thinking });
    if (typeof signature === 'string' && signature !== '')
      events.push({ kind: 'signature', choice: 0, signature: { by: 'anthropic', value: signature } });
  }
}

function startOf(message: Fields): AnswerEvent {
  return { kind: 'start', id: textOf(message['id']), model: textOf(message['model']) };
}

export function readError(payload: unknown, status: number): ProviderError {
  const error = fieldsOf(fieldsOf(payload)['error']);
  return {
    status,
    message: textOf(error['message']) || `The provider answered with an error${status === 0 ? '' : ` (${status})`}.`,
    type: textOf(error['type']),
    code: null,
    param: null,
  };
}
