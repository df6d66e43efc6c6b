import { standsAlready, type EntryRecord, type Standing } from '#ledger';
import type { PricedAttempt, Prices } from '#pricing';
import { formatUsd, isTokenMeter, METERS, type Meters, type RatedCost, type Usage } from '#terms';
import type { Quirks, UsageContext, UsageReader } from '#wires';
import { STATED } from './resolution-reasons.ts';

export type RepriceDeps = {
  readonly prices: Prices;
  /** How a wire's usage objects are read; undefined for entries of wires that are not known. */
  readonly reader: (wire: string) => UsageReader | undefined;
  /** Where a configured provider's answers differ from their wire. */
  readonly quirks: (provider: string) => Quirks;
};

/** What the prices of today make of an entry. */
export type Repriced =
  | { readonly is: 'changed'; readonly rated: RatedCost; readonly meters: Meters }
  | { readonly is: 'unchanged' | 'without_usage' | 'without_price' | 'kept' };

/**
 * Prices an entry as of when its call began. A known cost never becomes an unknown one: prices that are gone are no reason to
 * forget what a call cost, and what somebody stated by hand is not worked out again.
 */
export function repriceEntry(deps: RepriceDeps, entry: EntryRecord, standing: Standing): Repriced {
  if (isStated(standing)) return { is: 'kept' };
  const usage = usageOf(deps, entry, standing);
  if (usage === null) return { is: 'without_usage' };
  const rated = deps.prices.price(usage, attemptOf(entry));
  const forgets = rated.computedCost === null && standing.computedCost !== null;
  if (rated.cost === null || forgets) return { is: 'without_price' };
  if (rated.state === 'incomplete' && !OPEN.has(standing.state)) return { is: 'kept' };
  return standsAlready(standing, rated, usage.meters)
    ? { is: 'unchanged' }
    : { is: 'changed', rated, meters: usage.meters };
}

const OPEN: ReadonlySet<string> = new Set(['unpriced', 'incomplete']);

/** Whether its cost is one that somebody stated or assumed, and not one that usage and prices make. */
function isStated({ reason }: Standing): boolean {
  return STATED.some((one) => one === reason);
}

const ORIGINS: readonly Usage['origin'][] = ['reported', 'estimated', 'partly_estimated'];

/** Null when nothing says what was used: the attempt failed, its route has no usage, or it is in doubt. */
function usageOf(deps: RepriceDeps, entry: EntryRecord, standing: Standing): Usage | null {
  const origin = ORIGINS.find((one) => one === standing.usage.origin);
  if (origin === undefined) return null;
  const stored: Usage = {
    meters: standing.meters,
    origin,
    ...(entry.serviceTier === '' ? {} : { serviceTier: entry.serviceTier }),
    ...(entry.geo === '' ? {} : { geo: entry.geo }),
    ...(entry.others.length === 0 ? {} : { others: entry.others }),
    ...(entry.costReason === 'usage_inconsistent' ? { inconsistent: true } : {}),
    raw: standing.usage.raw,
  };
  const read = origin === 'reported' ? readAgain(deps, entry, standing.usage.raw) : null;
  const usage = read === null ? stored : besideUsage(entry, read);
  // What the provider said it charged stays said, wherever in the answer that was.
  return entry.costState === 'reported' && entry.cost !== null
    ? { ...usage, reportedCost: formatUsd(entry.cost) }
    : usage;
}

/**
 * The provider's own usage object under the rules of today; null when it was none, or says nothing certain. Where other models
 * had a part, it was told apart with what else the answer said, which is kept nowhere.
 */
function readAgain(deps: RepriceDeps, entry: EntryRecord, raw: string): Usage | null {
  return raw === '' || entry.others.length > 0 ? null : readUsageOf(deps, entry, raw);
}

/** A usage object as the entry's wire states them; null when it is none, or says nothing certain. */
export function readUsageOf({ reader, quirks }: RepriceDeps, entry: EntryRecord, raw: unknown): Usage | null {
  const read = reader(entry.wire);
  if (read === undefined) return null;
  const context: UsageContext = {
    quirks: quirks(entry.provider),
    model: entry.responseModel === '' ? entry.model : entry.responseModel,
    ...(entry.serviceTier === '' ? {} : { serviceTier: entry.serviceTier }),
    ...(entry.geo === '' ? {} : { geo: entry.geo }),
  };
  const usage = read(raw, context);
  return usage === null || usage.inconsistent === true ? null : usage;
}

/** What a usage object says, with what of the entry no usage object repeats. */
export function besideUsage(entry: EntryRecord, usage: Usage): Usage {
  return { ...usage, meters: { ...beside(entry.meters), ...usage.meters } };
}

/** Quantities that the request or the rest of the answer decided, and no usage object repeats: images, characters, searches. */
function beside(meters: Meters): Meters {
  return Object.fromEntries(
    METERS.filter((meter) => !isTokenMeter(meter) && meters[meter] !== undefined).map((meter) => [
      meter,
      meters[meter],
    ]),
  );
}

/** Whose price is asked for, as of when its call began. */
export function attemptOf(entry: EntryRecord): PricedAttempt {
  return {
    // Entries older than the field were priced by the provider they name.
    provider: entry.priceAs === '' ? entry.provider : entry.priceAs,
    account: entry.provider,
    answered: entry.responseModel,
    asked: entry.model,
    region: entry.region,
    at: entry.effectiveAt,
    payer: {
      key: entry.keyId,
      team: entry.keyTeam,
      dimensions: new Map(Object.entries(entry.tags).map(([key, value]) => [key, { value }])),
    },
  };
}
