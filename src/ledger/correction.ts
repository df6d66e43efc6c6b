import { invariant, type TimestampMs } from '#std';
import {
  inputTokens,
  makeEntryId,
  METERS,
  outputTokens,
  type EntryId,
  type Meters,
  type PicoUsd,
  type RatedCost,
  type Usage,
} from '#terms';
import { freshSalt } from './chain/entry-salt.ts';
import { openLines, takenBack, toChargeLine } from './charge-line.ts';
import type { EntryRecord } from './entry-record.ts';
import type { Standing } from './standing.ts';

export type Correction = {
  readonly original: EntryRecord;
  /** What the entry and its earlier corrections say. */
  readonly standing: Standing;
  readonly postedAt: TimestampMs;
  /** Why it is corrected: `repriced`, `resolved_usage`, … */
  readonly reason: string;
  /** What they shall say from now on. */
  readonly rated: RatedCost;
  readonly meters: Meters;
  /** The provider's usage object, where the correction rests on one that the entry has not. */
  readonly told?: Pick<Usage, 'origin' | 'raw'>;
  readonly priceBook: string;
};

/** True when nothing that a report shows would change. */
export function standsAlready(standing: Standing, rated: RatedCost, meters: Meters): boolean {
  return (
    standing.state === rated.state &&
    standing.cost === rated.cost &&
    counted(standing.listCost, standing.cost) === counted(rated.listCost, rated.cost) &&
    counted(standing.billed, standing.cost) === counted(rated.billed, rated.cost) &&
    counted(standing.computedCost, standing.cost) === counted(rated.computedCost, rated.cost) &&
    Object.keys(metersBetween(standing.meters, meters)).length === 0
  );
}

/**
 * A new entry that makes an old one and its corrections add up to what is right: signed differences, under every dimension of
 * the old one and at its time, so that each report that has the one has the other. It is no call and no attempt.
 */
export function correctionEntry(correction: Correction): { readonly entryId: EntryId; readonly entry: string } {
  const { original, standing, rated, meters } = correction;
  invariant(
    original.kind === 'attempt',
    'a correction is of an attempt; of a correction it is of the entry that one corrects',
  );
  const n = standing.corrections + 1;
  const entryId = makeEntryId(original.callId, original.attempt, { kind: 'correction', n });
  const moves = standing.state !== rated.state;
  const entry = {
    ...original.fields,
    // Its own: the salt of the original would be erased there and still stand here.
    salt: freshSalt(),
    entry_id: entryId,
    kind: 'correction',
    counts_call: 0,
    posted_at: new Date(correction.postedAt).toISOString(),
    // What was measured once is not measured again.
    latency_ms: 0,
    first_byte_ms: null,
    reserved: null,
    usage_raw: correction.told?.raw ?? '',
    ...(correction.told === undefined ? {} : { usage_origin: correction.told.origin }),
    other_usage: '',
    ...usageFields(standing.meters, meters),
    charges: openLines([...takenBack(standing.charges), ...rated.charges.map(toChargeLine)]),
    ...moneyFields(standing, rated),
    price_terms: rated.terms,
    cost_state: rated.state,
    cost_reason: correction.reason,
    unpriced_meters: rated.unpricedMeters,
    price_book: correction.priceBook,
    corrects: original.entryId,
    resolves: moves ? standing.state : '',
    moved_cost: moves && standing.cost !== null ? standing.cost.toString() : '0',
  };
  return { entryId, entry: JSON.stringify(entry) };
}

function usageFields(before: Meters, after: Meters): Readonly<Record<string, unknown>> {
  const meters = metersBetween(before, after);
  return {
    meters,
    input_tokens: inputTokens(meters),
    output_tokens: outputTokens(meters),
  };
}

function metersBetween(before: Meters, after: Meters): Meters {
  const differences = METERS.map((meter) => [meter, (after[meter] ?? 0) - (before[meter] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, quantity]) => quantity !== 0));
}

function moneyFields(standing: Standing, rated: RatedCost): Readonly<Record<string, string | null>> {
  const known = rated.cost !== null || standing.cost !== null;
  const between = (before: PicoUsd | null, after: PicoUsd | null): string | null =>
    known ? difference(before, after) : null;
  return {
    cost: between(standing.cost, rated.cost),
    list_cost: between(counted(standing.listCost, standing.cost), counted(rated.listCost, rated.cost)),
    billed: between(counted(standing.billed, standing.cost), counted(rated.billed, rated.cost)),
    // A cost that somebody states has nothing computed beside it: that is not a zero.
    computed_cost:
      standing.computedCost === null && rated.computedCost === null
        ? null
        : between(standing.computedCost, rated.computedCost),
    at_risk: standing.atRisk === null || rated.state === 'in_doubt' ? null : difference(standing.atRisk, null),
  };
}

/** What was unknown was in no sum: going from or to it is a difference from or to nothing. */
function difference(before: PicoUsd | null, after: PicoUsd | null): string {
  let left = 0n;
  if (after !== null) left += after;
  if (before !== null) left -= before;
  return left.toString();
}

/** The amount that reports count where an entry has none of its own: its cost. */
function counted(amount: PicoUsd | null, cost: PicoUsd | null): PicoUsd | null {
  return amount ?? cost;
}
