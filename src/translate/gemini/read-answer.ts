import type { AnswerEvent, FinishReason, ProviderError, TokenLogprob } from '../answer.ts';
import { eventReader } from '../event-reader.ts';
import { isFields, type Fields } from '../fields.ts';
import type { Signature } from '../prompt.ts';
import { fieldsOf, listOf, textOf } from '../loose.ts';
import type { StreamReader } from '../side.ts';

/** Reasons that are none of these stop the answer because of what it says. */
const FINISHES: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  FINISH_REASON_UNSPECIFIED: 'stop',
  OTHER: 'stop',
  CONTINUATION: 'stop',
  MALFORMED_FUNCTION_CALL: 'stop',
  MALFORMED_RESPONSE: 'stop',
  UNEXPECTED_TOOL_CALL: 'stop',
  TOO_MANY_TOOL_CALLS: 'stop',
  NO_IMAGE: 'stop',
  MAX_TOKENS: 'length',
};

export function readAnswer(payload: unknown): readonly AnswerEvent[] {
  return new CandidateReader().read(payload);
}

export function readStream(): StreamReader {
  const reader = new CandidateReader();
  return eventReader((payload) => reader.read(payload));
}

/** A whole answer, or the chunks of one: they look alike. */
class CandidateReader {
  #id = '';
  #started = false;
  readonly #calls = new Map<number, number>();
  readonly #finished = new Set<number>();

  read(payload: unknown): readonly AnswerEvent[] {
    const given = fieldsOf(payload);
    if (given['error'] !== undefined) return [{ kind: 'error', error: readError(given, 0) }];
    const events: AnswerEvent[] = [];
    if (!this.#started && (given['candidates'] !== undefined || given['promptFeedback'] !== undefined)) {
      this.#started = true;
      this.#id = textOf(given['responseId']);
      events.push({ kind: 'start', id: this.#id, model: textOf(given['modelVersion']) });
    }
    for (const [at, value] of listOf(given['candidates']).entries()) this.#candidate(fieldsOf(value), { at, events });
    // A prompt that is blocked has no candidate.
    if (textOf(fieldsOf(given['promptFeedback'])['blockReason']) !== '')
      this.#finish(0, { reason: 'filtered', events });
    return events;
  }

  #candidate(candidate: Fields, { at, events }: { readonly at: number; readonly events: AnswerEvent[] }): void {
    const choice = typeof candidate['index'] === 'number' ? candidate['index'] : at;
    let logprobs = readLogprobs(candidate['logprobsResult']);
    for (const value of listOf(fieldsOf(candidate['content'])['parts'])) {
      this.#part(fieldsOf(value), { choice, logprobs, events });
      logprobs = NONE;
    }
    const reason = textOf(candidate['finishReason']);
    if (reason === '') return;
    const known = FINISHES[reason] ?? 'filtered';
    this.#finish(choice, { reason: known === 'stop' && this.#calls.has(choice) ? 'tools' : known, events });
  }

  #finish(choice: number, { reason, events }: { readonly reason: FinishReason; readonly events: AnswerEvent[] }): void {
    if (this.#finished.has(choice)) return;
    this.#finished.add(choice);
    events.push({ kind: 'finish', choice, reason, stop: null });
  }

  #part(part: Fields, { choice, logprobs, events }: Into): void {
    const sign = textOf(part['thoughtSignature']);
    const signature: Signature | null = sign === '' ? null : { by: 'gemini', value: sign };
    if (part['functionCall'] !== undefined) {
      this.#call(fieldsOf(part['functionCall']), { choice, signature, events });
      return;
    }
    const text = textOf(part['text']);
    if (part['thought'] === true) {
      if (text !== '') events.push({ kind: 'reasoning', choice, text });
      if (signature !== null) events.push({ kind: 'signature', choice, signature });
      return;
    }
    if (signature !== null) events.push({ kind: 'signature', choice, signature });
    if (text !== '') events.push({ kind: 'text', choice, text, logprobs });
    const inline = fieldsOf(part['inlineData']);
    const base64 = textOf(inline['data']);
    if (base64 !== '') events.push({ kind: 'media', choice, type: textOf(inline['mimeType']), base64 });
  }

  /** Not every model gives its calls an id; everybody else's clients need one, unlike any other of the conversation. */
  #call(given: Fields, { choice, signature, events }: CallInto): void {
    const call = this.#calls.get(choice) ?? 0;
    this.#calls.set(choice, call + 1);
    const id = textOf(given['id']) || `call_${this.#id}_${choice === 0 ? '' : `${choice}_`}${call}`;
    events.push({ kind: 'tool_call', choice, call, id, name: textOf(given['name']), signature });
    events.push({ kind: 'args', choice, call, json: JSON.stringify(given['args'] ?? {}) });
  }
}

type Into = {
  readonly choice: number;
  readonly logprobs: readonly TokenLogprob[];
  readonly events: AnswerEvent[];
};

type CallInto = {
  readonly choice: number;
  readonly signature: Signature | null;
  readonly events: AnswerEvent[];
};

const NONE: readonly TokenLogprob[] = [];

function readLogprobs(value: unknown): readonly TokenLogprob[] {
  if (!isFields(value)) return NONE;
  const tops = listOf(value['topCandidates']);
  return listOf(value['chosenCandidates']).map((chosen, at) => ({
    ...likelihoodOf(chosen),
    others: listOf(fieldsOf(tops[at])['candidates']).map(likelihoodOf),
  }));
}

function likelihoodOf(value: unknown): { readonly token: string; readonly logprob: number } {
  const { token, logProbability } = fieldsOf(value);
  return { token: textOf(token), logprob: typeof logProbability === 'number' ? logProbability : 0 };
}

export function readError(payload: unknown, status: number): ProviderError {
  // Streams in an array begin with it.
  const whole = fieldsOf(Array.isArray(payload) ? payload[0] : payload);
  const error = fieldsOf(whole['error']);
  return {
    status,
    message: textOf(error['message']) || `The provider answered with an error${status === 0 ? '' : ` (${status})`}.`,
    type: textOf(error['status']),
    code: textOf(error['status']) || null,
    param: null,
  };
}
