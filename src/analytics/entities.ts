import { invariant, type TimestampMs } from '#std';
import { tagColumn } from '#ledger/store';
import { ENTITY_TYPES, formatUsd, usdNumber } from '#terms';
import type { Bindings } from './bindings.ts';
import { everythingIn, parseEntityType, type EntryFilter } from './filter.ts';
import { isoOf } from './event.ts';
import { tagValues, valueOf } from './grouping.ts';
import { PAGE_PARAMETERS, parsePage, toWirePagination, type Page, type WirePagination } from './page.ts';
import { parseParameters } from './parameters.ts';
import { parseOptionalPeriod, PERIOD_PARAMETERS } from './period.ts';
import { countOf, moneyOf, textOf, type Row } from './reader.ts';
import { openReport, toWireAsOf, type AnalyticsDeps, type Report, type WireAsOf } from './report.ts';

export type EntitiesQuery = { readonly filter: EntryFilter; readonly type: string | undefined; readonly page: Page };

export function parseEntitiesQuery(query: unknown, now: TimestampMs): EntitiesQuery {
  const parameters = parseParameters(query, [...PERIOD_PARAMETERS, 'type', ...PAGE_PARAMETERS]);
  const type = parseEntityType(parameters, 'type');
  return {
    filter: everythingIn(parseOptionalPeriod(parameters, now)),
    type,
    page: parsePage(parameters),
  };
}

type WireEntity = {
  readonly entity_type: string;
  readonly entity_id: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly total_events: number;
  readonly total_cost: number;
  readonly total_cost_exact: string;
};

export type EntitiesAnswer = {
  readonly data: readonly WireEntity[];
  readonly pagination: WirePagination;
  readonly as_of: WireAsOf;
};

/** Every entity that calls were made for, however it was set, the most recently seen first. */
export async function entities(
  deps: AnalyticsDeps,
  query: EntitiesQuery,
  signal?: AbortSignal,
): Promise<EntitiesAnswer> {
  const report = openReport(deps, query.filter, signal);
  const { rows, total } = (await summedPage(report, query)) ?? (await entriesPage(report, query));
  return {
    data: rows.map(toWireEntity),
    pagination: toWirePagination(query.page, total),
    as_of: toWireAsOf(report.asOf),
  };
}

type EntityPage = { readonly rows: readonly Row[]; readonly total: number };

async function entriesPage(report: Report, { type, page }: EntitiesQuery): Promise<EntityPage> {
  const entity = eachEntity(type);
  const [[count], rows] = await Promise.all([
    report.rows((from) => `SELECT uniqExact(${entity}) AS x_total ${from}`),
    report.rows(
      (from, { bind }) => `WITH ${entity} AS e SELECT e.1 AS x_type, assumeNotNull(e.2) AS x_id,
        toUnixTimestamp64Milli(min(effective_at)) AS x_first, toUnixTimestamp64Milli(max(effective_at)) AS x_last,
        sum(counts_call) AS m_events, toString(coalesce(sum(cost), 0)) AS m_cost
        ${from} GROUP BY e ORDER BY max(effective_at) DESC, e.1, e.2
        LIMIT ${bind('UInt32', page.limit)} OFFSET ${bind('UInt32', page.offset)}`,
    ),
  ]);
  invariant(count !== undefined, 'a count without groups is one row');
  return { rows, total: countOf(count, 'x_total') };
}

/** The same from the sums by each type's tag; null where one of them is not summed up. */
async function summedPage(report: Report, { type, page }: EntitiesQuery): Promise<EntityPage | null> {
  const types = type === undefined ? ENTITY_TYPES : [type];
  const sources = types.map(tagValues);
  if (type === undefined) sources.push(PRIMARY);
  const together = sources.map((source, at) => ({ at, source }));
  const entitiesIn = (from: string, { bind }: Bindings): string => {
    const known = bind('Array(String)', types);
    // The primary entity, as `type/id`, is for types that have no tag of their own here.
    const ofTag = `at < ${types.length}`;
    const primary = "splitByChar('/', assumeNotNull(g))[1]";
    return `FROM (SELECT if(${ofTag}, ${known}[at + 1], ${primary}) AS type,
        if(${ofTag}, assumeNotNull(g), substring(assumeNotNull(g), length(type) + 2)) AS id,
        min(first_at) AS first, max(last_at) AS last, sum(counts_call) AS calls, sum(cost) AS spent
      ${from} WHERE isNotNull(g) AND (${ofTag} OR NOT has(${known}, ${primary})) GROUP BY at, g)`;
  };
  const rows = await report.together(
    together,
    (from, bindings) => `SELECT type AS x_type, id AS x_id, toUnixTimestamp64Milli(first) AS x_first,
        toUnixTimestamp64Milli(last) AS x_last, calls AS m_events, toString(coalesce(spent, 0)) AS m_cost, count() OVER () AS x_total
      ${entitiesIn(from, bindings)} ORDER BY last DESC, type, id
      LIMIT ${bindings.bind('UInt32', page.limit)} OFFSET ${bindings.bind('UInt32', page.offset)}`,
  );
  const [any] = rows ?? [];
  if (rows === null) return null;
  if (any !== undefined) return { rows, total: countOf(any, 'x_total') };
  // Behind the last page there is no row to say how many there are.
  const counted = await report.together(
    together,
    (from, bindings) => `SELECT count() AS x_total ${entitiesIn(from, bindings)}`,
  );
  const [count] = counted ?? [];
  return count === undefined ? null : { rows, total: countOf(count, 'x_total') };
}

const PRIMARY = valueOf('entity', "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))");

/**
 * A call for a customer by a team counts for both: this is a list of entities, not a breakdown. Types that an operator
 * defined are known by the calls whose primary entity has them.
 */
function eachEntity(type: string | undefined): string {
  const types = type === undefined ? ENTITY_TYPES : [type];
  const set = types.map((one) => `('${one}', ${tagColumn(one)})`).join(', ');
  const present = `arrayFilter(e -> isNotNull(e.2), [${set}])`;
  if (type !== undefined) return `arrayJoin(${present})`;
  const known = ENTITY_TYPES.map((one) => `'${one}'`).join(', ');
  const primary = `if(entity_type IN ('', ${known}), [], [(toString(entity_type), toNullable(toString(entity_id)))])`;
  return `arrayJoin(arrayConcat(${present}, ${primary}))`;
}

function toWireEntity(row: Row): WireEntity {
  const cost = moneyOf(row, 'm_cost');
  return {
    entity_type: textOf(row, 'x_type'),
    entity_id: textOf(row, 'x_id'),
    first_seen: isoOf(row, 'x_first'),
    last_seen: isoOf(row, 'x_last'),
    total_events: countOf(row, 'm_events'),
    total_cost: usdNumber(cost),
    total_cost_exact: formatUsd(cost),
  };
}
