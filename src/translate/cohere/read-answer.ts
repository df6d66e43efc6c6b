import type { AnswerContext } from '#wires';
import type { AnswerEvent, FinishReason, ProviderError } from '../answer.ts';
import { eventReader } from '../event-reader.ts';
import { isFields, type Fields } from '../fields.ts';
import { fieldsOf, listOf, textOf } from '../loose.ts';
import type { StreamReader } from '../side.ts';

const FINISHES: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TIMEOUT: 'length',
  TOOL_CALL: 'tools',
};

export function readAnswer(payload: unknown, context: AnswerContext): readonly AnswerEvent[] {
  const answer = fieldsOf(payload);
  const message = fieldsOf(answer['message']);
  const calls = listOf(message['tool_calls']).flatMap((call, at) => beginCall(fieldsOf(call), at));
  return [
    startOf(answer, context),
    ...listOf(message['content']).flatMap((block) => written(fieldsOf(block))),
    ...planned(message),
    ...calls,
    finishOf(answer),
  ];
}

/** Cohere's answers do not name the model: the request does. */
function startOf(answer: Fields, { request }: AnswerContext): AnswerEvent {
  return { kind: 'start', id: textOf(answer['id']), model: request.model };
}

function finishOf(answer: Fields): AnswerEvent {
  const reason = textOf(answer['finish_reason']);
  if (reason === 'ERROR') return { kind: 'error', error: failure(textOf(answer['error'])) };
  return { kind: 'finish', choice: 0, reason: FINISHES[reason] ?? 'stop', stop: null };
}

function failure(said: string): ProviderError {
  return { status: 0, message: said || 'The model failed.', type: 'api_error', code: null, param: null };
}

/** A block, or a piece of one. */
function written({ text, thinking }: Fields): readonly AnswerEvent[] {
  if (typeof text === 'string' && text !== '') return [{ kind: 'text', choice: 0, text, logprobs: [] }];
  const thought = textOf(thinking);
  return thought === '' ? [] : [{ kind: 'reasoning', choice: 0, text: thought }];
}

/** What a model means to do with its tools is a thought. */
function planned(message: Fields): readonly AnswerEvent[] {
  const text = textOf(message['tool_plan']);
  return text === '' ? [] : [{ kind: 'reasoning', choice: 0, text }];
}

function beginCall(given: Fields, call: number): readonly AnswerEvent[] {
  const made = fieldsOf(given['function']);
  const id = textOf(given['id']);
  const json = textOf(made['arguments']);
  return [
    { kind: 'tool_call', choice: 0, call, id, name: textOf(made['name']), signature: null },
    ...(json === '' ? [] : [{ kind: 'args', choice: 0, call, json } as const]),
  ];
}

export function readStream(context: AnswerContext): StreamReader {
  const calls = new Calls();
  return eventReader((payload) => readEvent(fieldsOf(payload), { calls, context }));
}

type Reading = { readonly calls: Calls; readonly context: AnswerContext };

function readEvent(event: Fields, { calls, context }: Reading): readonly AnswerEvent[] {
  const delta = fieldsOf(event['delta']);
  const message = fieldsOf(delta['message']);
  const index = Number(event['index'] ?? 0);
  switch (event['type']) {
    case 'message-start':
      return [startOf(event, context)];
    case 'content-start':
    case 'content-delta':
      return written(fieldsOf(message['content']));
    case 'tool-plan-delta':
      return planned(message);
    case 'tool-call-start':
      return beginCall(fieldsOf(message['tool_calls']), calls.begin(index, message['tool_calls']));
    case 'tool-call-delta':
      return calls.grow(index, fieldsOf(message['tool_calls']));
    case 'tool-call-end':
      return calls.end(index);
    case 'message-end':
      return [finishOf(delta)];
    case 'error':
      return [{ kind: 'error', error: failure(textOf(event['message'])) }];
    // Citations have no place in the other formats.
    default:
      return [];
  }
}

/** The calls of one stream, by Cohere's index, and whether each has said anything of its arguments. */
class Calls {
  readonly #known = new Map<number, { readonly call: number; argued: boolean }>();

  begin(index: number, given: unknown): number {
    const call = this.#known.size;
    const args = isFields(given) ? textOf(fieldsOf(given['function'])['arguments']) : '';
    this.#known.set(index, { call, argued: args !== '' });
    return call;
  }

  grow(index: number, given: Fields): readonly AnswerEvent[] {
    const known = this.#known.get(index);
    const json = textOf(fieldsOf(given['function'])['arguments']);
    if (known === undefined || json === '') return [];
    known.argued = true;
    return [{ kind: 'args', choice: 0, call: known.call, json }];
  }

  /** A call without arguments says nothing on its way; JSON needs two braces. */
  end(index: number): readonly AnswerEvent[] {
    const known = this.#known.get(index);
    return known === undefined || known.argued ? [] : [{ kind: 'args', choice: 0, call: known.call, json: '{}' }];
  }
}

export function readError(payload: unknown, status: number): ProviderError {
  const message = textOf(fieldsOf(payload)['message']);
  return { ...failure(message || `The provider answered with an error (${status}).`), status, type: '' };
}
