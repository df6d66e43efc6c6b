import type { AnswerEvent, FinishReason, ProviderError, TokenLogprob } from '../answer.ts';
import { isFields, type Fields } from '../fields.ts';
import { eventReader } from '../event-reader.ts';
import type { Signature } from '../prompt.ts';
import { fieldsOf, listOf, textOf } from '../loose.ts';
import type { StreamReader } from '../side.ts';

const FINISHES: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  model_length: 'length',
  tool_calls: 'tools',
  function_call: 'tools',
  content_filter: 'filtered',
};

export function readAnswer(payload: unknown): readonly AnswerEvent[] {
  const whole = fieldsOf(payload);
  const error = errorIn(whole);
  if (error !== null) return [{ kind: 'error', error }];
  const events: AnswerEvent[] = [startOf(whole)];
  for (const [at, value] of listOf(whole['choices']).entries()) {
    const given = fieldsOf(value);
    const choice = indexOf(given, at);
    const reader = new ChoiceReader(choice);
    const logprobs = readLogprobs(fieldsOf(given['logprobs'])['content']);
    reader.read(fieldsOf(given['message']), { logprobs, events });
    events.push(reader.finish(given));
  }
  return events;
}

/** The chunks of one stream. */
export function readStream(): StreamReader {
  const choices = new Map<number, ChoiceReader>();
  let started = false;
  return eventReader((payload) => {
    if (!isFields(payload)) return [];
    const error = errorIn(payload);
    if (error !== null) return [{ kind: 'error', error }];
    const events: AnswerEvent[] = [];
    const given = listOf(payload['choices']);
    // Azure's first chunk tells of its filters, and names no model yet.
    if (!started && given.length > 0) {
      started = true;
      events.push(startOf(payload));
    }
    for (const [at, value] of given.entries()) {
      const one = fieldsOf(value);
      const choice = indexOf(one, at);
      const reader = choices.get(choice) ?? new ChoiceReader(choice);
      choices.set(choice, reader);
      const { logprobs } = one;
      reader.read(fieldsOf(one['delta']), {
        logprobs: logprobs === null || logprobs === undefined ? NONE : readLogprobs(fieldsOf(logprobs)['content']),
        events,
      });
      if (typeof one['finish_reason'] === 'string') events.push(reader.finish(one));
    }
    return events;
  });
}

type Into = { readonly logprobs: readonly TokenLogprob[]; readonly events: AnswerEvent[] };

/** A message, or one piece of it: they have the same fields. */
class ChoiceReader {
  readonly #choice: number;
  /** Calls that were begun, by the index their pieces name. */
  readonly #calls = new Map<number | string, number>();
  /** The last call that came without an index. */
  #unnumbered = '';

  #refused = false;

  constructor(choice: number) {
    this.#choice = choice;
  }

  finish(given: Fields): AnswerEvent {
    const reason = FINISHES[textOf(given['finish_reason'])] ?? 'stop';
    return { kind: 'finish', choice: this.#choice, reason: this.#refused ? 'refused' : reason, stop: null };
  }

  read(message: Fields, { logprobs, events }: Into): void {
    const choice = this.#choice;
    const { content, refusal } = message;
    const thought = message['reasoning_content'] ?? message['reasoning'];
    if (typeof thought === 'string' && thought !== '') events.push({ kind: 'reasoning', choice, text: thought });
    if (typeof content === 'string' && content !== '') events.push({ kind: 'text', choice, text: content, logprobs });
    // Mistral's thinking models answer in parts.
    else if (Array.isArray(content)) for (const part of content) readPart(fieldsOf(part), { choice, events });
    if (typeof refusal === 'string' && refusal !== '') {
      this.#refused = true;
      events.push({ kind: 'refusal', choice, text: refusal });
    }
    const calls = message['tool_calls'];
    if (calls === undefined || calls === null) return;
    for (const [at, call] of listOf(calls).entries()) this.#readCall(fieldsOf(call), { at, events });
  }

  #readCall(call: Fields, { at, events }: { readonly at: number; readonly events: AnswerEvent[] }): void {
    const choice = this.#choice;
    const given = fieldsOf(call['function']);
    const id = textOf(call['id']);
    const key = this.#keyOf(call, { id, at });
    let known = this.#calls.get(key);
    if (known === undefined) {
      known = this.#calls.size;
      this.#calls.set(key, known);
      const name = textOf(given['name']);
      events.push({ kind: 'tool_call', choice, call: known, id, name, signature: thoughtOf(call) });
    }
    const json = textOf(given['arguments']);
    if (json !== '') events.push({ kind: 'args', choice, call: known, json });
  }

  /** Some servers leave the index out, and tell calls apart by their ids, which stand in the first piece of each. */
  #keyOf({ index }: Fields, { id, at }: { readonly id: string; readonly at: number }): number | string {
    if (typeof index === 'number') return index;
    if (id !== '') this.#unnumbered = id;
    return this.#unnumbered === '' ? at : this.#unnumbered;
  }
}

function thoughtOf(call: Fields): Signature | null {
  const extra = call['extra_content'];
  if (extra === undefined || extra === null) return null;
  const value = textOf(fieldsOf(fieldsOf(extra)['google'])['thought_signature']);
  return value === '' ? null : { by: 'gemini', value };
}

function readPart(part: Fields, { choice, events }: { readonly choice: number; readonly events: AnswerEvent[] }): void {
  const text = textOf(part['text']);
  if (text !== '') events.push({ kind: 'text', choice, text, logprobs: NONE });
  for (const thought of listOf(part['thinking'])) {
    const thinking = textOf(fieldsOf(thought)['text']);
    if (thinking !== '') events.push({ kind: 'reasoning', choice, text: thinking });
  }
}

function startOf(payload: Fields): AnswerEvent {
  return { kind: 'start', id: textOf(payload['id']), model: textOf(payload['model']) };
}

const NONE: readonly TokenLogprob[] = [];

function readLogprobs(value: unknown): readonly TokenLogprob[] {
  const given = listOf(value);
  if (given.length === 0) return NONE;
  return given.map((one) => {
    const token = fieldsOf(one);
    const others = listOf(token['top_logprobs']).map((other) => likelihoodOf(fieldsOf(other)));
    return { ...likelihoodOf(token), others };
  });
}

function likelihoodOf({ token, logprob }: Fields): { readonly token: string; readonly logprob: number } {
  return { token: textOf(token), logprob: typeof logprob === 'number' ? logprob : Number.NEGATIVE_INFINITY };
}

function errorIn(payload: Fields): ProviderError | null {
  const { error } = payload;
  if (error === undefined || error === null) return null;
  return readError(payload, 0);
}

/** OpenAI's envelope, and what servers of its dialect make of it: a text, or the error at the top. */
export function readError(payload: unknown, status: number): ProviderError {
  const whole = fieldsOf(payload);
  const error = isFields(whole['error']) ? whole['error'] : whole;
  const message = [error['message'], whole['error'], whole['detail']].find((one) => typeof one === 'string');
  const code = error['code'];
  return {
    status,
    message: textOf(message) || `The provider answered with an error${status === 0 ? '' : ` (${status})`}.`,
    type: textOf(error['type']),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
    param: textOf(error['param']) || null,
  };
}

function indexOf(given: Fields, at: number): number {
  const { index } = given;
  return typeof index === 'number' ? index : at;
}
