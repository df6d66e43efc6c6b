import type { StoreReader } from '#analytics';
import { DETAIL_IS_GONE, ENTRIES, fromRowEntry, STORED_ENTRY_COLUMNS, type AsOf } from '#ledger/store';
import { invariant } from '#std';
import { UP_TO, upTo, withStandings, type Stood } from './entry-standings.ts';
import type { RepriceRequest } from './reprice-request.ts';

type Row = Readonly<Record<string, unknown>>;

type Place = { readonly at: number; readonly nodeId: string; readonly seq: number };

/** Entries handed out at once. */
const PAGE = 1000;

const DAY_MS = 86_400_000;

/** The attempts a job is about, with what they and their corrections say, in the order the calls began, a page at a time. */
export async function* pagesOf(store: StoreReader, request: RepriceRequest): AsyncGenerator<readonly Stood[]> {
  // What arrives meanwhile is priced by the prices of today as it is.
  const asOf = store.asOf();
  const span = await spanOf(store, request, asOf);
  if (span === null) return;
  // A day at a time: each page of a long range would read all that is left of it.
  for (let from = span.from; from < span.to; from = Math.min(span.to, startOfNextDay(from))) {
    const window = { from, to: Math.min(span.to, startOfNextDay(from)) };
    let after: Place | null = null;
    do {
      const rows = await attemptRows(store, { request, asOf, window, after });
      const all = await withStandings({ store, asOf }, rows.map(fromRowEntry));
      const open = all.filter(({ standing }) => request.states.includes(standing.state));
      if (open.length > 0) yield open;
      after = rows.length < PAGE ? null : placeOf(rows.at(-1));
    } while (after !== null);
  }
}

function startOfNextDay(at: number): number {
  return (Math.floor(at / DAY_MS) + 1) * DAY_MS;
}

const PERIOD = `effective_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND effective_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND ${UP_TO}`;

type Window = { readonly from: number; readonly to: number };

/** Attempts of which nothing is left to price them by. */
export async function countWithoutDetail(store: StoreReader, request: RepriceRequest): Promise<number> {
  const { params, where } = conditionsOf(request, store.asOf(), request);
  const [row] = await store.query<Row>(
    `SELECT count() AS n FROM ${ENTRIES} WHERE ${where} AND ${DETAIL_IS_GONE}`,
    params,
  );
  invariant(row !== undefined, 'a count without groups is one row');
  return Number(row['n']);
}

/** When the first and the last of them began, the end exclusive; null when there are none. */
async function spanOf(store: StoreReader, request: RepriceRequest, asOf: AsOf): Promise<Window | null> {
  const { params, where } = conditionsOf(request, asOf, request);
  const [row] = await store.query<Row>(
    `SELECT count() AS n, toUnixTimestamp64Milli(min(effective_at)) AS first, toUnixTimestamp64Milli(max(effective_at)) AS last
      FROM ${ENTRIES} WHERE ${where} AND NOT ${DETAIL_IS_GONE}`,
    params,
  );
  invariant(row !== undefined, 'a count without groups is one row');
  return Number(row['n']) === 0 ? null : { from: Number(row['first']), to: Number(row['last']) + 1 };
}

type Params = Readonly<Record<string, string | number | readonly string[]>>;

/** Also takes entries whose state was another before they were corrected: what their state is now is seen with the corrections. */
function conditionsOf(
  { provider, model, states }: RepriceRequest,
  asOf: AsOf,
  { from, to }: Window,
): { readonly where: string; readonly params: Params } {
  const conditions = [
    PERIOD,
    `kind = 'attempt'`,
    `(cost_state IN {states:Array(String)} OR entry_id IN (SELECT corrects FROM ${ENTRIES} WHERE kind = 'correction' AND ${PERIOD}))`,
  ];
  if (provider !== null) conditions.push('(provider = {provider:String} OR price_as = {provider:String})');
  if (model !== null) {
    conditions.push(
      `(model = {model:String} OR request_model = {model:String} OR response_model = {model:String} OR concat(provider, '/', model) = {model:String})`,
    );
  }
  return {
    where: conditions.join(' AND '),
    params: {
      from,
      to,
      ...upTo(asOf),
      states,
      ...(provider === null ? {} : { provider }),
      ...(model === null ? {} : { model }),
    },
  };
}

type Ask = { readonly request: RepriceRequest; readonly asOf: AsOf; readonly window: Window };

function attemptRows(
  store: StoreReader,
  { request, asOf, window, after }: Ask & { readonly after: Place | null },
): Promise<readonly Row[]> {
  const { params, where } = conditionsOf(request, asOf, window);
  const beyond =
    after === null
      ? ''
      : `AND (toUnixTimestamp64Milli(effective_at), toString(node_id), seq) > ({at:Int64}, {after_node:String}, {after_seq:UInt64})`;
  return store.query<Row>(
    `SELECT ${STORED_ENTRY_COLUMNS}, toUnixTimestamp64Milli(effective_at) AS p_at, toString(node_id) AS p_node, toString(seq) AS p_seq
      FROM ${ENTRIES} WHERE ${where} AND NOT ${DETAIL_IS_GONE} ${beyond} ORDER BY effective_at, toString(node_id), seq LIMIT ${PAGE}`,
    { ...params, ...(after === null ? {} : { at: after.at, after_node: after.nodeId, after_seq: after.seq }) },
  );
}

function placeOf(row: Row | undefined): Place {
  invariant(row !== undefined, 'a full page has a last row');
  return { at: Number(row['p_at']), nodeId: String(row['p_node']), seq: Number(row['p_seq']) };
}
