import { setTimeout as delay } from 'node:timers/promises';
import { costs, dimensions, parseCostsQuery, parseDimensionsQuery } from '#analytics';
import type { StoreSession } from '#ledger/check';
import { summedRows, type AsOf, type Summed } from '#ledger/store';
import type { Clock, TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { parseDimensions, parseReport, type ReportFigures } from './report-figures.ts';

/** Whoever answers reports: the running server, or its functions over a store that is only read. */
export type Reporter = {
  dimensions(query: Readonly<Record<string, string>>): Promise<unknown>;
  costs(query: Readonly<Record<string, string>>): Promise<unknown>;
};

/** Every entry there can be. */
const ALL_TIME = { start_date: '1970-01-01', end_date: '2200-12-31' };

/** The most rows an answer can have: what is beyond is one row `(other)`. */
const MOST_ROWS = '10000';

/** Beside the dimensions that occur. */
const ALWAYS = ['day', 'month', 'cost_state', 'key.id', 'key.team', 'key.owner'];

/** Asks for every breakdown that there is. */
export async function askAll(reporter: Reporter): Promise<readonly ReportFigures[]> {
  const occurring = parseDimensions(await reporter.dimensions(ALL_TIME));
  const answers: ReportFigures[] = [];
  for (const group_by of new Set([...ALWAYS, ...occurring]))
    answers.push(parseReport(group_by, await reporter.costs({ ...ALL_TIME, group_by, limit: MOST_ROWS })));
  return answers;
}

export function storedReporter(
  store: StoreSession,
  { nodeId, seq, clock }: { readonly nodeId: string; readonly seq: number; readonly clock: Clock },
): Reporter {
  const sums = (dimension: string, asOf: AsOf): Summed | null => {
    const rows = summedRows(store.summed, dimension, asOf);
    return rows === null ? null : { ...rows, stands: () => true };
  };
  const deps = { store: { query: store.query, asOf: () => ({ nodeId, seq, at: null }), sums } };
  const now: TimestampMs = clock.now();
  return {
    dimensions: (query) => dimensions(deps, parseDimensionsQuery(query, now)),
    costs: (query) => costs(deps, parseCostsQuery(query, now)),
  };
}

const ANSWER_TIMEOUT_MS = 120_000;

/** A ledger process that was killed is started again meanwhile. */
const STARTING_MS = 30_000;
const ASK_AGAIN_MS = 250;

export function liveReporter(
  url: string,
  { headers, clock }: { readonly headers: Readonly<Record<string, string>>; readonly clock: Clock },
): Reporter {
  const get = (path: string): Promise<Response> =>
    fetch(`${url}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  const ask = async (route: string, query: Readonly<Record<string, string>>): Promise<unknown> => {
    const path = `${route}?${new URLSearchParams(query).toString()}`;
    const giveUpMs = clock.elapsedMs() + STARTING_MS;
    let answer = await get(path);
    while (answer.status === 503 && clock.elapsedMs() < giveUpMs) {
      await answer.arrayBuffer();
      await delay(ASK_AGAIN_MS);
      answer = await get(path);
    }
    if (answer.ok) return answer.json();
    throw new ApportionError('ledger_unavailable', `${route} answers ${answer.status}: ${await answer.text()}`);
  };
  return {
    dimensions: (query) => ask('/v1/analytics/dimensions', query),
    costs: (query) => ask('/v1/analytics/costs', query),
  };
}
