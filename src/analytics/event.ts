import { invariant } from '#std';
import { tagKeyOfPath } from '#ledger/store';
import { COST_COLUMNS, isCorrection, lastWord, toWireCost, type Corrections, type WireCost } from './corrected.ts';
import { countOf, textOf, textOrNull, textsOf, type Row } from './reader.ts';

/** One attempt as InfraPrism's events show it, and what more the ledger knows. */
export type WireEvent = WireCost & {
  /** The call's id. A call that was tried again has an event per attempt; `entry_id` tells them apart. Null once the entry's detail is gone. */
  readonly id: string | null;
  readonly entry_id: string | null;
  readonly attempt: number;
  /** `first`, `retry` after a failure, `fallback` to another model. */
  readonly cause: string | null;
  readonly timestamp: string;
  readonly model: string;
  readonly request_model: string;
  /** The route of the settings that the model asked for names; null when it is a model. */
  readonly route: string | null;
  readonly provider: string;
  /** Null while the call is in doubt: nobody knows what it consumed. */
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  /** How often its cost was corrected; the cost shown is that of today. */
  readonly corrections: number;
  readonly latency_ms: number;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly session_id: string | null;
  /** The step of its run, `plan/search`. */
  readonly session_path: string | null;
  readonly trace_id: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  /** The tags as they were sent. */
  readonly request_tags: readonly string[];
  readonly key_id: string;
  readonly key_name: string;
  readonly status: string;
  readonly success: boolean;
  readonly stream: boolean;
  readonly sandbox: boolean;
};

export const EVENT_COLUMNS = [
  'call_id',
  'attempt',
  'cause',
  'toUnixTimestamp64Milli(effective_at) AS x_at_ms',
  'model',
  'request_model',
  'route',
  'provider',
  COST_COLUMNS,
  'latency_ms',
  'entity_type',
  'entity_id',
  'session_id',
  'session_path',
  'trace_id',
  'toJSONString(tags) AS x_tags',
  'labels',
  'paths',
  'tags_sent',
  'key_id',
  'key_name',
  'status',
  'stream',
].join(', ');

export function toWireEvent(row: Row, allCorrections: Corrections): WireEvent {
  const corrections = allCorrections.get(textOf(row, 'entry_id')) ?? [];
  const provider = textOf(row, 'provider');
  const status = textOf(row, 'status');
  return {
    id: filledOrNull(row, 'call_id'),
    // It would name the call.
    entry_id: textOf(row, 'call_id') === '' ? null : textOf(row, 'entry_id'),
    attempt: countOf(row, 'attempt'),
    cause: filledOrNull(row, 'cause'),
    timestamp: isoOf(row, 'x_at_ms'),
    model: textOf(row, 'model'),
    request_model: textOf(row, 'request_model'),
    route: filledOrNull(row, 'route'),
    provider,
    input_tokens: tokensOf(row, corrections, 'input_tokens'),
    output_tokens: tokensOf(row, corrections, 'output_tokens'),
    ...toWireCost(row, corrections),
    corrections: corrections.filter(isCorrection).length,
    latency_ms: countOf(row, 'latency_ms'),
    entity_type: filledOrNull(row, 'entity_type'),
    entity_id: filledOrNull(row, 'entity_id'),
    session_id: filledOrNull(row, 'session_id'),
    session_path: filledOrNull(row, 'session_path'),
    trace_id: filledOrNull(row, 'trace_id'),
    tags: tagObject(row, 'x_tags'),
    labels: textsOf(row, 'labels'),
    paths: textsOf(row, 'paths'),
    request_tags: textsOf(row, 'tags_sent'),
    key_id: textOf(row, 'key_id'),
    key_name: textOf(row, 'key_name'),
    status,
    success: status === 'ok',
    stream: countOf(row, 'stream') === 1,
    sandbox: provider === 'sandbox',
  };
}

/** As corrections left them. */
function tokensOf(row: Row, corrections: readonly Row[], column: 'input_tokens' | 'output_tokens'): number | null {
  if (textOf(lastWord(row, corrections), 'cost_state') === 'in_doubt') return null;
  return [row, ...corrections.filter(isCorrection)].reduce((sum, one) => sum + countOf(one, column), 0);
}

/** The entry writes "none" as an empty text. */
export function filledOrNull(row: Row, column: string): string | null {
  const text = textOrNull(row, column);
  return text === '' ? null : text;
}

export function isoOf(row: Row, column: string): string {
  return new Date(countOf(row, column)).toISOString();
}

/** A JSON column of tags, its paths turned back into keys. */
export function tagObject(row: Row, column: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(textOf(row, column))).map(([path, value]) => [tagKeyOfPath(path), String(value)]),
  );
}

export function numbersOf(json: string): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(objectOf(json)).map(([name, value]) => [name, Number(value)]));
}

function objectOf(json: string): object {
  const value: unknown = JSON.parse(json);
  invariant(typeof value === 'object' && value !== null, 'the column is a JSON object');
  return value;
}

/** Providers send JSON; what is none is shown as it came. */
export function jsonOrText(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
