import type { Strategy } from '#config';
import type { PicoUsd } from '#terms';

/** What the order of deployments depends on. What a strategy does not look at is not asked for. */
export type Rated = {
  readonly weight: number;
  /** What this call will probably cost there; null where there is no price. */
  readonly expected: () => PicoUsd | null;
  readonly running: () => number;
  /** Milliseconds; null where nobody knows. */
  readonly firstByteMs: () => number | null;
  /** From 0 up to 1: the deployment's draw. */
  readonly draw: () => number;
};

/** Deployments in the order they are tried. What is equal for the strategy is drawn by weight. */
export function inOrder<T extends Rated>(strategy: Strategy, deployments: readonly T[]): readonly T[] {
  if (strategy === 'ordered' || deployments.length < 2) return deployments;
  const drawn = byWeight(deployments);
  switch (strategy) {
    case 'weighted':
      return drawn;
    case 'cheapest':
      return sortedBy(drawn, ({ expected }) => expected(), byPrice);
    case 'least_busy':
      return sortedBy(drawn, ({ running }) => running(), byNumber);
    case 'fastest':
      return sortedBy(drawn, waitOf, byNumber);
  }
}

/** The same as drawing each place by weight from those that are left (Efraimidis and Spirakis, 2006). */
function byWeight<T extends Rated>(deployments: readonly T[]): readonly T[] {
  return sortedBy(deployments, ({ draw, weight }) => -Math.log(1 - draw()) / weight, byNumber);
}

/** A deployment that nobody measured lately is measured by one call, while the others go where it is known to be fast. */
function waitOf({ firstByteMs, running }: Rated): number {
  return firstByteMs() ?? (running() === 0 ? 0 : Number.POSITIVE_INFINITY);
}

function sortedBy<T, K>(
  items: readonly T[],
  keyOf: (item: T) => K,
  compare: (left: K, right: K) => number,
): readonly T[] {
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .toSorted((left, right) => compare(left.key, right.key))
    .map(({ item }) => item);
}

function byNumber(left: number, right: number): number {
  return left === right ? 0 : left - right;
}

/** What has no price may cost anything. */
function byPrice(left: PicoUsd | null, right: PicoUsd | null): number {
  if (left === right) return 0;
  if (left === null || right === null) return left === null ? 1 : -1;
  return left < right ? -1 : 1;
}
