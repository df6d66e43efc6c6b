/** @param share 0.5 for the median, 0.99 for the 99th percentile. Nearest rank: always a value that was measured. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function shareBetween(values: readonly number[], low: number, high: number): number {
  if (values.length === 0) return 0;
  return values.filter((value) => value >= low && value < high).length / values.length;
}
