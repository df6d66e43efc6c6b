import type { StoreReader } from '#analytics';
import { ENTRIES, fromRowEntry, STORED_ENTRY_COLUMNS, type AsOf } from '#ledger/store';
import type { TimestampMs } from '#std';
import { ApportionError, formatUsd, picoUsd } from '#terms';
import { UP_TO, upTo, withStandings, type Stood } from './entry-standings.ts';
import type {
  InDoubtFilter,
  InDoubtListRequest,
  WireInDoubt,
  WireInDoubtList,
  WireInDoubtSums,
} from './resolution-request.ts';

type Row = Readonly<Record<string, unknown>>;

type Params = Readonly<Record<string, string | number>>;

/** Entries handed out at once. */
const PAGE = 1000;

const HOUR_MS = 3_600_000;

type Asked = { readonly filter: InDoubtFilter; readonly asOf: AsOf; readonly now: TimestampMs };

/** Nothing gets in doubt later, so what is: began so, and no correction put an end to it. */
function conditionsOf({ filter, asOf, now }: Asked): { readonly where: string; readonly params: Params } {
  const { provider, model, olderThanHours } = filter;
  const conditions = [
    `kind = 'attempt' AND cost_state = 'in_doubt'`,
    UP_TO,
    `effective_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')`,
    `entry_id NOT IN (SELECT corrects FROM ${ENTRIES} WHERE resolves = 'in_doubt' AND ${UP_TO})`,
  ];
  if (provider !== null) conditions.push('provider = {provider:String}');
  if (model !== null) conditions.push('(model = {model:String} OR request_model = {model:String})');
  return {
    where: conditions.join(' AND '),
    params: {
      ...upTo(asOf),
      until: Math.floor(now - olderThanHours * HOUR_MS),
      ...(provider === null ? {} : { provider }),
      ...(model === null ? {} : { model }),
    },
  };
}

type Place = { readonly at: number; readonly id: string };

/** Pages of calls in doubt, oldest first. */
export async function* inDoubtPages(store: StoreReader, asked: Asked): AsyncGenerator<readonly Stood[]> {
  const { where, params } = conditionsOf(asked);
  let after: Place | null = null;
  do {
    const rows: Row[] = await store.query<Row>(
      `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} WHERE ${where} ${beyond(after)} ${IN_ORDER} LIMIT ${PAGE}`,
      { ...params, ...after },
    );
    const entries = rows.map(fromRowEntry);
    if (entries.length > 0) yield await withStandings({ store, asOf: asked.asOf }, entries);
    const last = entries.at(-1);
    after = rows.length < PAGE || last === undefined ? null : { at: last.effectiveAt, id: last.entryId };
  } while (after !== null);
}

const IN_ORDER = 'ORDER BY toUnixTimestamp64Milli(effective_at), entry_id';

function beyond(after: Place | null): string {
  return after === null ? '' : 'AND (toUnixTimestamp64Milli(effective_at), entry_id) > ({at:Int64}, {id:String})';
}

const LISTED = [
  'call_id',
  'entry_id',
  'toUnixTimestamp64Milli(effective_at) AS x_at',
  'provider',
  'model',
  'toString(at_risk) AS x_at_risk',
  'cost_reason',
  'key_id',
  'key_name',
  'entity_type',
  'entity_id',
].join(', ');

export async function listInDoubt(
  store: StoreReader,
  { request, now }: { readonly request: InDoubtListRequest; readonly now: TimestampMs },
  signal?: AbortSignal,
): Promise<WireInDoubtList> {
  const options = signal === undefined ? {} : { signal };
  const { where, params } = conditionsOf({ filter: request, asOf: store.asOf(), now });
  const { limit } = request;
  const after = request.cursor === null ? null : parseCursor(request.cursor);
  const [rows, sums] = await Promise.all([
    store.query<Row>(
      `SELECT ${LISTED} FROM ${ENTRIES} WHERE ${where} ${beyond(after)} ${IN_ORDER} LIMIT {most:UInt32}`,
      { ...params, ...after, most: limit + 1 },
      options,
    ),
    store.query<Row>(
      `SELECT provider, count() AS x_calls, toString(coalesce(sum(at_risk), 0)) AS x_at_risk, countIf(at_risk IS NULL) AS x_boundless
        FROM ${ENTRIES} WHERE ${where} GROUP BY provider ORDER BY provider`,
      params,
      options,
    ),
  ]);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    object: 'list',
    data: shown.map((row) => toWireInDoubt(row, now)),
    summary: {
      ...sumsOf(sums),
      by_provider: sums.map((row) => ({ provider: text(row, 'provider'), ...sumsOf([row]) })),
    },
    has_more: more,
    next_cursor: more ? `${Number(last['x_at'])}_${text(last, 'entry_id')}` : null,
  };
}

function toWireInDoubt(row: Row, now: TimestampMs): WireInDoubt {
  const at = Number(row['x_at']);
  return {
    object: 'in_doubt',
    call_id: text(row, 'call_id'),
    entry_id: text(row, 'entry_id'),
    timestamp: new Date(at).toISOString(),
    age_seconds: Math.max(0, Math.floor((now - at) / 1000)),
    provider: text(row, 'provider'),
    model: text(row, 'model'),
    at_risk_exact: row['x_at_risk'] === null ? null : exact(BigInt(text(row, 'x_at_risk'))),
    reason: text(row, 'cost_reason'),
    key_id: text(row, 'key_id'),
    key_name: text(row, 'key_name'),
    entity_type: text(row, 'entity_type') || null,
    entity_id: text(row, 'entity_id') || null,
  };
}

function sumsOf(rows: readonly Row[]): WireInDoubtSums {
  const count = (name: string): number => rows.reduce((sum, row) => sum + Number(row[name]), 0);
  return {
    calls: count('x_calls'),
    at_risk_exact: exact(rows.reduce((sum, row) => sum + BigInt(text(row, 'x_at_risk')), 0n)),
    without_bound: count('x_boundless'),
  };
}

function text(row: Row, column: string): string {
  return String(row[column]);
}

function exact(amount: bigint): string {
  return formatUsd(picoUsd(amount));
}

function parseCursor(cursor: string): Place {
  const [, at, id] = /^(\d{1,15})_(.{1,200})$/.exec(cursor) ?? [];
  if (at !== undefined && id !== undefined) return { at: Number(at), id };
  throw new ApportionError('invalid_query', '"cursor" is none of this list.', {
    param: 'cursor',
    hint: 'Give the next_cursor of the page before, or leave it out.',
  });
}
