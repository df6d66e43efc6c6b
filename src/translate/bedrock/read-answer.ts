import { FrameBuffer, type AnswerContext, type Frame } from '#wires';
import type { AnswerEvent, FinishReason, ProviderError } from '../answer.ts';
import type { Fields } from '../fields.ts';
import { fieldsOf, listOf, textOf } from '../loose.ts';
import type { StreamReader } from '../side.ts';

const FINISHES: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  malformed_model_output: 'stop',
  malformed_tool_use: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tools',
  guardrail_intervened: 'filtered',
  content_filtered: 'filtered',
};

export function readAnswer(payload: unknown, context: AnswerContext): readonly AnswerEvent[] {
  const answer = fieldsOf(payload);
  const blocks = new Blocks();
  const events: AnswerEvent[] = [startOf(context)];
  const message = fieldsOf(fieldsOf(answer['output'])['message']);
  for (const [index, value] of listOf(message['content']).entries()) {
    const block = fieldsOf(value);
    events.push(...blocks.begin(index, block), ...blocks.grow(index, block), ...blocks.stop(index));
  }
  return [...events, finishOf(answer)];
}

/** Converse names neither the answer nor the model: the request does. */
function startOf({ headers, request }: AnswerContext): AnswerEvent {
  return { kind: 'start', id: textOf(headers['x-amzn-requestid']), model: request.model };
}

function finishOf(answer: Fields): AnswerEvent {
  const reason = FINISHES[textOf(answer['stopReason'])] ?? 'stop';
  return { kind: 'finish', choice: 0, reason, stop: null };
}

export function readStream(context: AnswerContext): StreamReader {
  const frames = new FrameBuffer();
  const blocks = new Blocks();
  return { read: (bytes) => frames.push(bytes).flatMap((frame) => readFrame(frame, { blocks, context })) };
}

type Reading = { readonly blocks: Blocks; readonly context: AnswerContext };

function readFrame({ kind, type, payload }: Frame, { blocks, context }: Reading): readonly AnswerEvent[] {
  const event = fieldsOf(parse(payload));
  if (kind === 'exception') return [{ kind: 'error', error: errorOf(event, { status: 0, type }) }];
  const index = Number(event['contentBlockIndex']);
  switch (type) {
    case 'messageStart':
      return [startOf(context)];
    case 'contentBlockStart':
      return blocks.begin(index, fieldsOf(event['start']));
    case 'contentBlockDelta':
      return blocks.grow(index, fieldsOf(event['delta']));
    case 'contentBlockStop':
      return blocks.stop(index);
    case 'messageStop':
      return [finishOf(event)];
    // What comes behind is usage, which is read from the same bytes elsewhere.
    default:
      return [];
  }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // A frame that is no JSON says nothing.
    return undefined;
  }
}

type Call = { readonly call: number; argued: boolean };

/** The blocks of one message, whole or as they grow. */
class Blocks {
  readonly #calls = new Map<number, Call>();

  begin(index: number, block: Fields): readonly AnswerEvent[] {
    if (block['toolUse'] === undefined) return [];
    const tool = fieldsOf(block['toolUse']);
    const call = { call: this.#calls.size, argued: false };
    this.#calls.set(index, call);
    const id = textOf(tool['toolUseId']);
    return [{ kind: 'tool_call', choice: 0, call: call.call, id, name: textOf(tool['name']), signature: null }];
  }

  grow(index: number, piece: Fields): readonly AnswerEvent[] {
    const text = textOf(piece['text']);
    if (text !== '') return [{ kind: 'text', choice: 0, text, logprobs: [] }];
    if (piece['reasoningContent'] !== undefined) return readThought(fieldsOf(piece['reasoningContent']));
    const call = this.#calls.get(index);
    const input = fieldsOf(piece['toolUse'])['input'];
    if (call === undefined || input === undefined) return [];
    const json = typeof input === 'string' ? input : JSON.stringify(input);
    if (json === '') return [];
    call.argued = true;
    return [{ kind: 'args', choice: 0, call: call.call, json }];
  }

  /** A call without arguments says nothing on its way; JSON needs two braces. */
  stop(index: number): readonly AnswerEvent[] {
    const call = this.#calls.get(index);
    return call === undefined || call.argued ? [] : [{ kind: 'args', choice: 0, call: call.call, json: '{}' }];
  }
}

/** A whole answer has the text and its signature together, a stream one after the other. */
function readThought(thought: Fields): readonly AnswerEvent[] {
  const whole = fieldsOf(thought['reasoningText'] ?? thought);
  const text = textOf(whole['text']);
  const value = textOf(whole['signature']);
  const data = textOf(thought['redactedContent']);
  return [
    ...(text === '' ? [] : [{ kind: 'reasoning', choice: 0, text } as const]),
    ...(value === '' ? [] : [{ kind: 'signature', choice: 0, signature: { by: 'bedrock', value } } as const]),
    ...(data === '' ? [] : [{ kind: 'opaque', choice: 0, data: { by: 'bedrock', value: data } } as const]),
  ];
}

export function readError(payload: unknown, status: number): ProviderError {
  return errorOf(fieldsOf(payload), { status, type: '' });
}

function errorOf(error: Fields, { status, type }: { readonly status: number; readonly type: string }): ProviderError {
  const said = textOf(error['message']) || textOf(error['Message']);
  const message = said || `The provider answered with an error${status === 0 ? '' : ` (${status})`}.`;
  return { status, message, type, code: null, param: null };
}
