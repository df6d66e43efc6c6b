import type { EntryRecord, Standing } from '#ledger';
import type { Prices } from '#pricing';
import { formatUsd, type Meters, type PicoUsd, type RatedCost, type Usage } from '#terms';
import { attemptOf } from './reprice-entry.ts';
import type { ResolutionReason } from './resolution-reasons.ts';

/** What an entry shall say from now on, and why. */
export type Resolved = {
  readonly rated: RatedCost;
  readonly meters: Meters;
  readonly reason: ResolutionReason;
  readonly told?: Pick<Usage, 'origin' | 'raw'>;
};

type Doubtful = { readonly prices: Prices; readonly entry: EntryRecord; readonly standing: Standing };

/** A cost as somebody states it counts as one that the provider reported; what is charged on follows from it. */
export function costStated(doubtful: Doubtful, cost: PicoUsd, reason: 'resolved_cost' | 'resolved_zero'): Resolved {
  return { rated: ratedAt(doubtful, cost), meters: doubtful.standing.meters, reason };
}

/**
 * A cost that is assumed is an estimate. It has a line of its own, which says by which policy, so that the lines of an entry make its
 * computed cost here too.
 */
export function costAssumed(doubtful: Doubtful, cost: PicoUsd, policy: 'at_risk' | 'estimate'): Resolved {
  const rated: RatedCost = {
    ...ratedAt(doubtful, cost),
    state: 'estimated',
    listCost: null,
    computedCost: cost,
    unpricedMeters: [],
    charges: [
      {
        meter: 'request',
        quantity: 1,
        unitPrice: { amount: formatUsd(cost), per: 1 },
        amount: cost,
        priceRow: `policy:${policy}`,
      },
    ],
  };
  return { rated, meters: doubtful.standing.meters, reason: `resolved_${policy}` };
}

function ratedAt({ prices, entry, standing }: Doubtful, cost: PicoUsd): RatedCost {
  const { meters } = standing;
  const usage: Usage = {
    meters,
    origin: 'reported',
    ...(entry.others.length === 0 ? {} : { others: entry.others }),
    reportedCost: formatUsd(cost),
    raw: '',
  };
  const rated = prices.price(usage, attemptOf(entry));
  // Where nothing is known to have been used, the prices of nothing are not what it is worth at the list.
  if (Object.keys(meters).length > 0) return rated;
  return { ...rated, listCost: null, computedCost: null, charges: [], unpricedMeters: [] };
}
