import { inputTokens, outputTokens, type Usage } from '#terms';

/**
 * The usage that says most, of two of the same stream. Running totals only grow, so the last is the largest; and whatever
 * the order events come in, or how often, the largest stays the same.
 */
export function mostComplete(known: Usage | null, next: Usage | null): Usage | null {
  if (known === null || next === null) return known ?? next;
  return weightOf(next) >= weightOf(known) ? next : known;
}

/** What is spoiled weighs least. */
function weightOf({ meters, others, reportedCost }: Usage): number {
  let weight = inputTokens(meters) + outputTokens(meters);
  for (const other of others ?? []) weight += inputTokens(other.meters) + outputTokens(other.meters);
  // Of two alike, the one that also states a cost.
  return weight + (Object.keys(meters).length > 0 ? 0.25 : 0) + (reportedCost === undefined ? 0 : 0.5);
}
