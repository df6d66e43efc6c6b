import { parseTagFilter, UNTAGGED, type TagFilter } from '#tags';
import { formatUsd, picoUsd, sumUsd } from '#terms';
import { costOf, moneyFields, NOW, type CannedCall } from './canned-ledger.ts';

type Ask = URLSearchParams;

type Part = { readonly value: string; readonly fields: Record<string, unknown>; readonly calls: readonly CannedCall[] };

const DAY_MS = 86_400_000;
const AS_OF = { node_id: 'canned', seq: 1, at: NOW };

/** The analytics API's answers over calls held in memory, in UTC only: enough for what the dashboard asks. */
export function costsAnswer(calls: readonly CannedCall[], ask: Ask): object {
  const matched = matching(calls, ask);
  const by = ask.get('group_by') ?? 'entity';
  const data = partsOf(matched, by).map(toGroup);
  return { data, summary: totals(matched), overlapping: overlaps(by), truncated: false, as_of: AS_OF };
}

export function timeseriesAnswer(calls: readonly CannedCall[], ask: Ask): object {
  const matched = matching(calls, ask);
  const hourly = ask.get('interval') === 'hour';
  const by = ask.get('group_by');
  const point = (bucketMs: number, part: readonly CannedCall[]): object => ({
    timestamp: new Date(bucketMs).toISOString(),
    date: new Date(bucketMs).toISOString().slice(0, hourly ? 16 : 10),
    ...totals(part),
  });
  const width = hourly ? DAY_MS / 24 : DAY_MS;
  const { start, end } = periodOf(ask);
  const buckets = Array.from({ length: Math.round((end - start) / width) }, (_, at) => start + at * width);
  const inBucket = (part: readonly CannedCall[], from: number): readonly CannedCall[] =>
    part.filter((call) => call.atMs >= from && call.atMs < from + width);
  const frame = { interval: ask.get('interval') ?? 'day', summary: totals(matched), as_of: AS_OF };
  if (by === null) {
    return {
      ...frame,
      groups: [],
      overlapping: false,
      data: buckets.map((from) => point(from, inBucket(matched, from))),
    };
  }
  const parts = folded(partsOf(matched, by), Number(ask.get('limit') ?? 8));
  const data = buckets.flatMap((from) =>
    parts.flatMap((part) => {
      const there = inBucket(part.calls, from);
      return there.length === 0
        ? []
        : [
            {
              ...point(from, there),
              value: part.value,
              untagged: part.value === UNTAGGED,
              other: part.value === '(other)',
            },
          ];
    }),
  );
  return { ...frame, data, groups: parts.map(toGroup), overlapping: overlaps(by) };
}

export function eventsAnswer(calls: readonly CannedCall[], ask: Ask): object {
  const matched = matching(calls, ask);
  const limit = Number(ask.get('limit') ?? 100);
  const offset = Number(ask.get('offset') ?? 0);
  return {
    data: matched.slice(offset, offset + limit).map(toEvent),
    summary: totals(matched),
    pagination: { total: matched.length, limit, offset, has_more: offset + limit < matched.length },
    as_of: AS_OF,
  };
}

export function dimensionsAnswer(calls: readonly CannedCall[]): object {
  const keys = new Set(calls.flatMap((call) => Object.keys(call.tags)));
  const built = ['entity', 'model', 'provider', 'key', 'status', 'label', 'path'];
  return {
    data: [
      ...built.map((group_by) => ({ group_by, kind: 'built_in', calls: calls.length, distinct_values: 1 })),
      ...Array.from(keys, (key) => ({
        group_by: `tags.${key}`,
        kind: 'tag',
        calls: calls.filter((call) => key in call.tags).length,
        distinct_values: 1,
      })),
    ],
    total_events: calls.length,
    distinct_values_are: 'approximate',
    truncated: false,
    as_of: AS_OF,
  };
}

export function eventAnswer(call: CannedCall): object {
  const { cost, inputTokens, outputTokens } = call;
  const charge = (meter: string, quantity: number, amount: bigint): object => ({
    meter,
    quantity: String(quantity),
    unit_price_usd: meter === 'input' ? '0.15' : '0.6',
    per: 1_000_000,
    amount_usd_exact: formatUsd(picoUsd(amount)),
    price_row: `${call.provider}/${call.model}@2026-01-01`,
  });
  const input = BigInt(inputTokens) * 150_000n;
  return {
    ...toEvent(call),
    attempts: [{ ...toEvent(call), http_status: 200, error_code: null }],
    corrections: [],
    adjustments: [],
    computed_cost_usd_exact: cost === null ? null : formatUsd(cost),
    price_terms: [],
    call_cost_usd_exact: cost === null ? null : formatUsd(cost),
    operation: 'chat',
    wire: 'openai.chat',
    price_as: call.provider,
    region: null,
    geo: null,
    upstream_id: `chatcmpl-${call.id.slice(-8)}`,
    response_model: call.model,
    service_tier: null,
    first_byte_ms: 120,
    http_status: 200,
    error_code: null,
    other_usage: null,
    meters: { input: inputTokens, output_text: outputTokens },
    charges:
      cost === null ? [] : [charge('input', inputTokens, input), charge('output_text', outputTokens, cost - input)],
    unpriced_meters: cost === null ? ['input', 'output_text'] : [],
    cost_reason: cost === null ? 'model_without_price' : null,
    at_risk_exact: call.atRisk === null ? null : formatUsd(call.atRisk),
    tag_provenance: Object.fromEntries(
      Object.keys(call.tags).map((key) => [key, key === 'env' ? 'default' : 'declared']),
    ),
    conflicts: call.tags['env'] === 'staging' ? [{ key: 'env', value: 'prod', source: 'header' }] : [],
    tags_overflow: {},
    usage_origin: 'reported',
    usage_raw: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    },
    price_book: 'genai-prices 0.1.8 + overlay',
    key_team: null,
    key_owner: null,
    recorded_at: new Date(call.atMs + call.latencyMs).toISOString(),
  };
}

function toEvent(call: CannedCall): object {
  return {
    id: call.id,
    entry_id: `${call.id}.1.attempt.0`,
    attempt: 1,
    cause: 'first',
    timestamp: new Date(call.atMs).toISOString(),
    model: call.model,
    request_model: call.model,
    route: null,
    provider: call.provider,
    input_tokens: call.inputTokens,
    output_tokens: call.outputTokens,
    cost_usd: call.cost === null ? null : Number(formatUsd(call.cost)),
    cost_usd_exact: call.cost === null ? null : formatUsd(call.cost),
    list_cost_usd_exact: call.cost === null ? null : formatUsd(call.cost),
    billed_usd_exact: call.cost === null ? null : formatUsd(call.cost),
    cost_state: call.costState,
    corrections: 0,
    latency_ms: call.latencyMs,
    entity_type: call.entity?.type ?? null,
    entity_id: call.entity?.id ?? null,
    session_id: null,
    session_path: null,
    trace_id: null,
    tags: call.tags,
    labels: call.labels,
    paths: call.paths,
    request_tags: [...call.paths, ...call.labels],
    key_id: call.keyName,
    key_name: call.keyName,
    status: call.status,
    success: call.status === 'ok',
    stream: call.inputTokens % 2 === 0,
    sandbox: call.provider === 'sandbox',
  };
}

function totals(calls: readonly CannedCall[]): Record<string, unknown> {
  const sum = (read: (call: CannedCall) => number): number => calls.reduce((total, call) => total + read(call), 0);
  const sandbox = calls.filter((call) => call.provider === 'sandbox');
  return {
    ...moneyFields('total_cost', costOf(calls)),
    ...moneyFields('total_list_cost', costOf(calls)),
    ...moneyFields('total_billed', costOf(calls)),
    total_events: calls.length,
    total_attempts: calls.length,
    total_input_tokens: sum((call) => call.inputTokens),
    total_output_tokens: sum((call) => call.outputTokens),
    avg_latency_ms: calls.length === 0 ? null : Math.round(sum((call) => call.latencyMs) / calls.length),
    unpriced_events: calls.filter((call) => call.costState === 'unpriced').length,
    incomplete_events: 0,
    estimated_events: 0,
    estimated_cost_exact: '0',
    reported_cost_exact: '0',
    partial_exact_cost_exact: '0',
    in_doubt_events: calls.filter((call) => call.costState === 'in_doubt').length,
    at_risk_exact: formatUsd(sumUsd(calls.flatMap((call) => (call.atRisk === null ? [] : [call.atRisk])))),
    sandbox_cost_exact: formatUsd(costOf(sandbox)),
    sandbox: sandbox.length > 0,
  };
}

function toGroup({ value, fields, calls }: Part): object {
  return { value, ...fields, untagged: value === UNTAGGED, other: value === '(other)', ...totals(calls) };
}

function partsOf(calls: readonly CannedCall[], by: string): readonly Part[] {
  const found = new Map<string, CannedCall[]>();
  for (const call of calls) {
    const values = valuesOf(call, by);
    for (const value of values.length === 0 ? [UNTAGGED] : values)
      found.set(value, [...(found.get(value) ?? []), call]);
  }
  return Array.from(found, ([value, part]) => ({ value, fields: fieldsOf(value, by, part), calls: part })).toSorted(
    (left, right) => (costOf(left.calls) < costOf(right.calls) ? 1 : -1),
  );
}

function fieldsOf(value: string, by: string, calls: readonly CannedCall[]): Record<string, unknown> {
  if (by === 'path' || by.startsWith('path:')) {
    const hasChildren = calls.some((call) => call.paths.some((path) => path.startsWith(`${value}/`)));
    return { is_direct: value === '(direct)', has_children: hasChildren };
  }
  if (by === 'model') return { model: value, provider: calls[0]?.provider ?? null };
  if (by !== 'entity') return {};
  const [type, id] = value.split('/');
  return value === UNTAGGED ? { entity_type: null, entity_id: UNTAGGED } : { entity_type: type, entity_id: id };
}

function valuesOf(call: CannedCall, by: string): readonly string[] {
  switch (by) {
    case 'entity':
      return call.entity === null ? [] : [`${call.entity.type}/${call.entity.id}`];
    case 'model':
      return [call.model];
    case 'provider':
      return [call.provider];
    case 'key':
      return [call.keyName];
    case 'status':
      return [call.status];
    case 'label':
      return call.labels;
    case 'path':
      return nodesOf(call, []);
    default: {
      if (by.startsWith('path:')) return nodesOf(call, by.slice('path:'.length).split('/'));
      const value = call.tags[by.slice('tags.'.length)];
      return value === undefined ? [] : [value];
    }
  }
}

/** The nodes one level below `prefix` that a call is in, each once; `(direct)` where it ends at `prefix`. */
function nodesOf(call: CannedCall, prefix: readonly string[]): readonly string[] {
  const below = [...call.paths, ...call.labels]
    .map((path) => path.split('/'))
    .filter((path) => prefix.every((segment, at) => segment === path[at]));
  const nodes = below.map((path) =>
    path.length === prefix.length ? '(direct)' : path.slice(0, prefix.length + 1).join('/'),
  );
  if (nodes.length > 0) return Array.from(new Set(nodes));
  return call.paths.length + call.labels.length === 0 ? [] : ['(other)'];
}

function folded(parts: readonly Part[], limit: number): readonly Part[] {
  const named = parts.filter((part) => part.value !== UNTAGGED);
  const rest = named.slice(limit).flatMap((part) => part.calls);
  const kept = parts.filter((part) => part.value === UNTAGGED || named.indexOf(part) < limit);
  return rest.length === 0 ? kept : [...kept, { value: '(other)', fields: {}, calls: rest }];
}

function overlaps(by: string): boolean {
  return by === 'label' || by === 'path' || by.startsWith('path:');
}

function matching(calls: readonly CannedCall[], ask: Ask): readonly CannedCall[] {
  const { start, end } = periodOf(ask);
  const tags = parseTagFilter(ask.get('tags') ?? '');
  const equal = (name: string, value: string): boolean => ask.get(name) === null || ask.get(name) === value;
  return calls.filter(
    (call) =>
      call.atMs >= start &&
      call.atMs < end &&
      equal('model', call.model) &&
      equal('provider', call.provider) &&
      equal('key', call.keyName) &&
      equal('status', call.status) &&
      equal('cost_state', call.costState) &&
      (ask.get('entity_type') === null || call.tags[ask.get('entity_type') ?? ''] === ask.get('entity_id')) &&
      tags.every((tag) => carries(call, tag)),
  );
}

function carries(call: CannedCall, filter: TagFilter): boolean {
  const under = (path: string): boolean => call.paths.some((each) => each === path || each.startsWith(`${path}/`));
  if (filter.kind === 'dimension') return filter.values.includes(call.tags[filter.key] ?? null);
  return filter.kind === 'path'
    ? under(filter.segments.join('/'))
    : call.labels.includes(filter.label) || under(filter.label);
}

function periodOf(ask: Ask): { start: number; end: number } {
  const start = ask.get('start_date');
  const end = ask.get('end_date');
  return {
    start: start === null ? 0 : Date.parse(`${start}T00:00:00Z`),
    end: end === null ? Number.MAX_SAFE_INTEGER : Date.parse(`${end}T00:00:00Z`) + DAY_MS,
  };
}
