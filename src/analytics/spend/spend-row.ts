import { formatUsd, usdNumber } from '#terms';
import { filledOrNull, isoOf, jsonOrText, tagObject } from '../event.ts';
import { countOf, countOrNull, moneyOrNull, textOf, textsOf, type Row } from '../reader.ts';
import { apiKeyOf, type KeyName } from './spend-deps.ts';

/** A call as a row of LiteLLM's spend logs. */
export type WireSpendLog = {
  /** The `id` the client got; the call's id when no answer had one. */
  readonly request_id: string;
  readonly call_type: string;
  readonly api_key: string;
  /** Null when the cost is not known: see `metadata.apportion.cost_state`. */
  readonly spend: number | null;
  readonly spend_exact: string | null;
  readonly total_tokens: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly startTime: string;
  readonly endTime: string;
  readonly completionStartTime: string | null;
  readonly request_duration_ms: number;
  readonly model: string;
  readonly model_group: string;
  readonly custom_llm_provider: string;
  readonly user: string;
  readonly end_user: string;
  readonly team_id: string | null;
  readonly session_id: string | null;
  readonly status: 'success' | 'failure';
  /** As sent, then what was inherited. */
  readonly request_tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** Statuses of attempts that LiteLLM counts as a success. */
export const SUCCESS = "('ok', 'client_closed')";

const WHOLE = '(PARTITION BY call_id)';

export const SPEND_COLUMNS = [
  'call_id',
  'attempt',
  'kind',
  'operation',
  'upstream_id',
  'key_id',
  'key_name',
  'key_team',
  'key_owner',
  'entity_type',
  'entity_id',
  'session_id',
  'session_path',
  'request_model',
  'model',
  'provider',
  'status',
  // Of the attempt as its corrections left it.
  "argMax(cost_state, (kind = 'correction', kind = 'attempt', seq)) OVER (PARTITION BY call_id, attempt) AS x_cost_state",
  'first_byte_ms',
  'tags_sent',
  'labels',
  'paths',
  'usage_raw',
  'toJSONString(tags) AS x_tags',
  'toUnixTimestamp64Milli(effective_at) AS x_attempt_ms',
  'toUnixTimestamp64Milli(effective_at) + latency_ms AS x_end',
  `toUnixTimestamp64Milli(min(effective_at) OVER ${WHOLE}) AS x_start`,
  `toString(sum(cost) OVER ${WHOLE}) AS x_cost`,
  `toString(sum(at_risk) OVER ${WHOLE}) AS x_at_risk`,
  `sum(input_tokens) OVER ${WHOLE} AS x_input`,
  `sum(output_tokens) OVER ${WHOLE} AS x_output`,
  `countIf(kind = 'attempt') OVER ${WHOLE} AS x_attempts`,
].join(', ');

const CALL_TYPES: Readonly<Record<string, string>> = {
  chat: 'acompletion',
  text_completion: 'atext_completion',
  embeddings: 'aembedding',
};

export function toWireSpendLog(row: Row, keys: ReadonlyMap<string, KeyName>): WireSpendLog {
  const cost = moneyOrNull(row, 'x_cost');
  const input = countOf(row, 'x_input');
  const output = countOf(row, 'x_output');
  const start = countOf(row, 'x_start');
  const end = countOf(row, 'x_end');
  const firstByte = countOrNull(row, 'first_byte_ms');
  const status = textOf(row, 'status');
  const operation = textOf(row, 'operation');
  const tags = tagObject(row, 'x_tags');
  return {
    request_id: filledOrNull(row, 'upstream_id') ?? textOf(row, 'call_id'),
    call_type: CALL_TYPES[operation] ?? operation,
    api_key: apiKeyOf(textOf(row, 'key_id'), keys),
    spend: cost === null ? null : usdNumber(cost),
    spend_exact: cost === null ? null : formatUsd(cost),
    total_tokens: input + output,
    prompt_tokens: input,
    completion_tokens: output,
    startTime: isoOf(row, 'x_start'),
    endTime: isoOf(row, 'x_end'),
    completionStartTime: firstByte === null ? null : new Date(countOf(row, 'x_attempt_ms') + firstByte).toISOString(),
    request_duration_ms: end - start,
    model: textOf(row, 'model'),
    model_group: textOf(row, 'request_model'),
    custom_llm_provider: textOf(row, 'provider'),
    user: textOf(row, 'key_owner'),
    end_user: tags['end_user'] ?? tags['customer'] ?? '',
    team_id: filledOrNull(row, 'key_team'),
    session_id: filledOrNull(row, 'session_id'),
    status: status === 'ok' || status === 'client_closed' ? 'success' : 'failure',
    request_tags: textsOf(row, 'tags_sent'),
    metadata: metadataOf(row, { keys, tags }),
  };
}

function metadataOf(
  row: Row,
  { keys, tags }: { readonly keys: ReadonlyMap<string, KeyName>; readonly tags: Readonly<Record<string, string>> },
): WireSpendLog['metadata'] {
  const risk = moneyOrNull(row, 'x_at_risk');
  return {
    user_api_key: apiKeyOf(textOf(row, 'key_id'), keys),
    user_api_key_alias: textOf(row, 'key_name'),
    user_api_key_team_id: filledOrNull(row, 'key_team'),
    user_api_key_user_id: filledOrNull(row, 'key_owner'),
    spend_logs_metadata: tags,
    usage_object: jsonOrText(textOf(row, 'usage_raw')),
    apportion: {
      call_id: textOf(row, 'call_id'),
      attempts: countOf(row, 'x_attempts'),
      status: textOf(row, 'status'),
      cost_state: textOf(row, 'x_cost_state'),
      at_risk_exact: risk === null ? null : formatUsd(risk),
      entity_type: filledOrNull(row, 'entity_type'),
      entity_id: filledOrNull(row, 'entity_id'),
      labels: textsOf(row, 'labels'),
      paths: textsOf(row, 'paths'),
      session_path: filledOrNull(row, 'session_path'),
    },
  };
}
