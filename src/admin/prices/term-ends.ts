import type { Contract, Markup, PriceRow, PriceTerms } from '#pricing';
import type { TimestampMs } from '#std';

type Dated = {
  readonly id: string;
  readonly effectiveFrom: TimestampMs | null;
  readonly effectiveTo: TimestampMs | null;
};

/** When each term ends, by id: as it says itself, or where another takes its place. Null for until further notice. */
export function findTermEnds({ rows, contracts, markups }: PriceTerms): ReadonlyMap<string, TimestampMs | null> {
  return new Map([
    ...endsOf(rows, scopeOfRow),
    ...endsOf(contracts, scopeOfContract),
    ...endsOf(markups, scopeOfMarkup),
  ]);
}

/** Operator rows as they hold one after the other, those that begin last first. */
export function inOrderOfTime(rows: readonly PriceRow[], ends: ReadonlyMap<string, TimestampMs | null>): PriceRow[] {
  return rows
    .map((row) => ({ ...row, effectiveTo: ends.get(row.id) ?? null }))
    .toSorted((left, right) => startOf(right) - startOf(left));
}

function endsOf<T extends Dated>(
  terms: readonly T[],
  scope: (term: T) => readonly unknown[],
): [string, TimestampMs | null][] {
  const byScope = Map.groupBy(terms, (term) => JSON.stringify(scope(term)));
  return [...byScope.values()].flatMap((group) =>
    group.map((term): [string, TimestampMs | null] => [term.id, endAtNext(term, group)]),
  );
}

function endAtNext(term: Dated, group: readonly Dated[]): TimestampMs | null {
  let end = term.effectiveTo;
  for (const { effectiveFrom } of group) {
    if (effectiveFrom === null || effectiveFrom <= startOf(term)) continue;
    if (end === null || effectiveFrom < end) end = effectiveFrom;
  }
  return end;
}

function startOf({ effectiveFrom }: Dated): number {
  return effectiveFrom ?? -Number.MAX_SAFE_INTEGER;
}

/** A row with rates is all there is to say of its model; one without says a part, and ends only what said the same part. */
function scopeOfRow(row: PriceRow): readonly unknown[] {
  const { provider, model, window = null, rates, serviceTiers, geo, inherit, contextWindow, maxOutputTokens } = row;
  if (Object.keys(rates).length > 0) return [provider, model, window];
  const parts = [serviceTiers, geo, inherit, contextWindow ?? maxOutputTokens];
  return [provider, model, window, ...parts.map((part) => part !== undefined)];
}

function scopeOfContract({ provider, model, serviceTier, region }: Contract): readonly unknown[] {
  return [provider, model, serviceTier, region];
}

function scopeOfMarkup({ provider, model, team, key, tag }: Markup): readonly unknown[] {
  return [provider, model, team, key, tag];
}
