import { closeEntry, openEntry, type AttemptEnd, type AttemptStart } from '#ledger';
import type { PricedAttempt, Prices } from '#pricing';
import type { Clock } from '#std';
import { ZERO_USD, type PicoUsd, type RatedCost } from '#terms';
import type { BatchRecord, LineRow } from './batch-record.ts';
import { lineCallId, type LineResult } from './result-line.ts';

export type LineEntry = { readonly attempt: string; readonly text: string; readonly cost: PicoUsd | null };

type Ran = Exclude<LineResult, { readonly is: 'not_run' }>;

type LineDeps = { readonly prices: Prices; readonly clock: Clock };

/** The entry of a line that ran: at the time and prices of the batch's creation, to whoever created it. */
export function lineEntry(
  { record, row, result }: { readonly record: BatchRecord; readonly row: LineRow | undefined; readonly result: Ran },
  { prices, clock }: LineDeps,
): LineEntry {
  const answered = result.is === 'answered' ? result : null;
  const responseModel = answered?.facts.model ?? '';
  const model = row === undefined || row.model === '' ? responseModel : row.model;
  const start: AttemptStart = {
    callId: lineCallId(record, result.customId),
    attempt: 1,
    startedAt: record.createdAt,
    cause: 'first',
    operation: answered?.kind.operation ?? 'batch_line',
    wire: answered?.kind.wire.name ?? '',
    stream: false,
    key: record.key,
    tags: row?.tags ?? record.tags,
    requestModel: model,
    route: '',
    provider: record.provider,
    priceAs: record.priceAs,
    region: record.region,
    model,
    reserved: row?.reserved ?? null,
  };
  const priced = pricedLine(record, { model, responseModel, tags: start.tags });
  const usage = answered?.facts.usage ?? null;
  const rated = usage !== null ? prices.price(usage, priced) : answered === null ? NOT_BILLED : UNKNOWN;
  const end: AttemptEnd = {
    endedAt: clock.now(),
    status: result.is === 'answered' ? 'ok' : 'upstream_error',
    httpStatus: result.is === 'answered' ? 200 : result.httpStatus,
    errorCode: result.is === 'answered' ? '' : result.errorCode,
    upstreamId: answered?.facts.id ?? '',
    last: true,
    responseModel,
    // Hours in a queue are no latency of the model.
    latencyMs: 0,
    firstByteMs: null,
    usage,
    rated,
    priceBook: prices.version,
  };
  return { attempt: `${start.callId}.1`, text: closeEntry(openEntry(start), start, end), cost: rated.cost };
}

/** What the price book is asked about a line. */
function pricedLine(
  record: Pick<BatchRecord, 'provider' | 'priceAs' | 'region' | 'createdAt' | 'key'>,
  { model, responseModel, tags }: { readonly model: string; readonly responseModel: string; tags: BatchRecord['tags'] },
): PricedAttempt {
  return {
    provider: record.priceAs,
    account: record.provider,
    answered: responseModel,
    asked: model,
    region: record.region,
    at: record.createdAt,
    payer: { key: record.key.id, team: record.key.team, dimensions: tags.dimensions },
  };
}

const NO_LINES = { charges: [], unpricedMeters: [], terms: [] } as const;

/** Lines that end in an error are not billed (OpenAI and Anthropic, batch pricing). */
const NOT_BILLED: RatedCost = {
  ...NO_LINES,
  cost: ZERO_USD,
  listCost: ZERO_USD,
  billed: ZERO_USD,
  computedCost: ZERO_USD,
  state: 'exact',
  reason: 'not_billed',
};

const UNKNOWN: RatedCost = {
  ...NO_LINES,
  cost: null,
  listCost: null,
  billed: null,
  computedCost: null,
  state: 'in_doubt',
  reason: 'answer_without_usage',
};
