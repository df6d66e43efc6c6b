import type { StoreReader } from '#analytics';
import { ENTRIES } from '#ledger/store';
import type { TimestampMs } from '#std';
import { picoUsd, ZERO_USD, type PicoUsd } from '#terms';
import type { Stood } from './entry-standings.ts';
import type { Prices } from '#pricing';
import { costAssumed, costStated, type Resolved } from './resolution-cost.ts';
import type { Policy } from './resolution-request.ts';
import { UP_TO, upTo } from './entry-standings.ts';

/** What a policy makes of a call in doubt, or why it makes nothing of it. */
export type Assumed = { readonly is: 'resolved'; readonly resolved: Resolved } | { readonly is: Left };

export type Left = 'without_bound' | 'without_estimate';

/** Of what was reserved for calls of a model, what they came to. */
export type Shares = ReadonlyMap<string, Share>;

type Share = { readonly cost: bigint; readonly reserved: bigint };

const NO_SHARES: Shares = new Map();

const DAY_MS = 86_400_000;
/** Long enough for every model that is in use, and no older than what prices and habits are like now. */
const LOOK_BACK_DAYS = 30;

/** Null policy needs no shares. @param now up to when answered calls are looked at, for 30 days back */
export async function sharesFor(
  store: StoreReader,
  { policy, now }: { readonly policy: Policy; readonly now: TimestampMs },
): Promise<Shares> {
  if (policy !== 'estimate') return NO_SHARES;
  const rows = await store.query<Readonly<Record<string, unknown>>>(
    `SELECT provider, model, toString(sum(cost)) AS x_cost, toString(sum(reserved)) AS x_reserved FROM ${ENTRIES}
      WHERE kind = 'attempt' AND status = 'ok' AND cost IS NOT NULL AND reserved > 0 AND ${UP_TO}
        AND effective_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') GROUP BY provider, model`,
    { ...upTo(store.asOf()), from: now - LOOK_BACK_DAYS * DAY_MS },
  );
  return new Map(
    rows.map((row) => [
      nameOf({ provider: String(row['provider']), model: String(row['model']) }),
      { cost: BigInt(String(row['x_cost'])), reserved: BigInt(String(row['x_reserved'])) },
    ]),
  );
}

function nameOf({ provider, model }: { readonly provider: string; readonly model: string }): string {
  return `${provider}/${model}`;
}

export type PolicyDeps = { readonly prices: Prices; readonly policy: Policy; readonly shares: Shares };

export function assume({ prices, policy, shares }: PolicyDeps, { entry, standing }: Stood): Assumed {
  const doubtful = { prices, entry, standing };
  if (policy === 'zero') return { is: 'resolved', resolved: costStated(doubtful, ZERO_USD, 'resolved_zero') };
  if (standing.atRisk === null) return { is: 'without_bound' };
  if (policy === 'at_risk') return { is: 'resolved', resolved: costAssumed(doubtful, standing.atRisk, policy) };
  const share = shares.get(nameOf(entry));
  if (share === undefined) return { is: 'without_estimate' };
  return { is: 'resolved', resolved: costAssumed(doubtful, shareOf(standing.atRisk, share), policy) };
}

/** Rounded up, so that an estimate of something is never nothing; never more than what is at risk. */
function shareOf(atRisk: PicoUsd, { cost, reserved }: Share): PicoUsd {
  const part = (atRisk * cost + reserved - 1n) / reserved;
  return picoUsd(part < atRisk ? part : atRisk);
}
