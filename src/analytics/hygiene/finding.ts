import { detect, type DetectedKind } from '#tags';
import { formatUsd, sumUsd, usdNumber } from '#terms';
import { findSimilar, type Difference } from './similar.ts';
import { toWireUsage, type Usage, type WireUsage } from './usage.ts';

/** Where a text stands in a call. */
export type Place =
  | { readonly at: 'key' | 'label' | 'path' | 'session'; readonly key: null }
  | { readonly at: 'value'; readonly key: string };

export type WireFinding = {
  readonly kind: 'similar' | 'many_values' | 'personal_data';
  readonly at: Place['at'];
  /** The key whose values these are; null for what is no value. */
  readonly key: string | null;
  /** Of `similar`: how the texts differ. */
  readonly difference: Difference | null;
  /** Of `personal_data`: what it looks like. */
  readonly detected: readonly DetectedKind[];
  /** Of `similar`: the spelling most calls have. */
  readonly suggestion: string | null;
  /** Of `many_values`: how many, about. */
  readonly distinct_values: number | null;
  /** The calls concerned. A call with two of the texts is counted twice. */
  readonly calls: number;
  readonly cost: number;
  readonly cost_exact: string;
  /** The texts concerned, at most twenty; of `similar` with the suggestion first. */
  readonly items: readonly WireUsage[];
  readonly total_items: number;
};

const ITEMS = 20;

type About = Pick<WireFinding, 'kind' | 'difference' | 'detected' | 'suggestion' | 'distinct_values'>;

const NOTHING = { difference: null, detected: [], suggestion: null, distinct_values: null } as const;

function finding(place: Place, about: About, items: readonly Usage[]): WireFinding {
  // What is spelt as suggested is not what is wrong.
  const wrong = items.filter(({ text }) => text !== about.suggestion);
  const cost = sumUsd(wrong.map((item) => item.cost));
  return {
    kind: about.kind,
    at: place.at,
    key: place.key,
    difference: about.difference,
    detected: about.detected,
    suggestion: about.suggestion,
    distinct_values: about.distinct_values,
    calls: wrong.reduce((sum, { calls }) => sum + calls, 0),
    cost: usdNumber(cost),
    cost_exact: formatUsd(cost),
    items: items.slice(0, ITEMS).map(toWireUsage),
    total_items: items.length,
  };
}

/** Spellings that probably mean the same. */
export function similarIn(place: Place, usages: readonly Usage[]): readonly WireFinding[] {
  return findSimilar(usages).map(({ members, difference }) =>
    finding(place, { ...NOTHING, kind: 'similar', difference, suggestion: members[0]?.text ?? null }, members),
  );
}

/** One finding per kind of thing that should not stand in a tag. */
export function personalDataIn(place: Place, usages: readonly Usage[]): readonly WireFinding[] {
  const found = new Map<DetectedKind, Usage[]>();
  for (const usage of usages) {
    for (const kind of detect(usage.text)) found.set(kind, [...(found.get(kind) ?? []), usage]);
  }
  return Array.from(found, ([kind, items]) =>
    finding(place, { ...NOTHING, kind: 'personal_data', detected: [kind] }, items),
  );
}

/** A key with so many values is an id: it costs the store, and no chart can show it. */
const MANY_VALUES = 1000;
/** Fewer are many too where nearly every call has one of its own. */
const MANY_OF_FEW = 100;

export function manyValuesIn(
  key: Usage,
  values: { readonly distinct: number; readonly common: readonly Usage[] },
): readonly WireFinding[] {
  const { distinct, common } = values;
  if (distinct <= MANY_VALUES && (distinct < MANY_OF_FEW || distinct * 2 < key.calls)) return [];
  const { calls, cost } = key;
  const about = { ...NOTHING, kind: 'many_values' as const, distinct_values: distinct };
  const shown = finding({ at: 'value', key: key.text }, about, common);
  return [{ ...shown, calls, cost: usdNumber(cost), cost_exact: formatUsd(cost), total_items: distinct }];
}
