import { type TimestampMs } from '#std';
import { POLICY_LIMITS } from './tag-policy.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type Claim = {
  /** The counted key, with its owner where a team or key made the cap. */
  readonly name: string;
  readonly value: string;
  readonly maxValues: number;
  readonly now: TimestampMs;
};

/** `first_refused`: the first value beyond the cap of this key and day, for a warning that is given once. */
export type Verdict = 'admitted' | 'refused' | 'first_refused';

/**
 * Counts distinct values per key and UTC day. One per process; after a restart the day's count begins anew.
 * Memory is bounded: names, values per name and values in all have limits.
 */
export type CardinalityGate = {
  admit(claim: Claim): Verdict;
  /** The same verdicts without counting, for showing what a call would do. */
  preview(): CardinalityGate;
};

type Counted = { readonly values: Set<number>; refused: boolean };

export function createCardinalityGate(limits: {
  readonly maxKeys: number;
  readonly maxValues?: number;
}): CardinalityGate {
  const maxValues = limits.maxValues ?? POLICY_LIMITS.rememberedValues;
  const counted = new Map<string, Counted>();
  let day = 0;
  let total = 0;

  function startDay(now: TimestampMs): void {
    const today = Math.floor(now / DAY_MS);
    if (today === day) return;
    day = today;
    total = 0;
    counted.clear();
  }

  /** Over the limit of keys, the one counted longest ago is forgotten: its cap holds anew from here. */
  function countedFor(name: string): Counted {
    const known = counted.get(name);
    if (known !== undefined) return known;
    const [oldest] = counted;
    if (oldest !== undefined && counted.size >= limits.maxKeys) {
      total -= oldest[1].values.size;
      counted.delete(oldest[0]);
    }
    const fresh = { values: new Set<number>(), refused: false };
    counted.set(name, fresh);
    return fresh;
  }

  return {
    admit: ({ name, value, maxValues: cap, now }) => {
      startDay(now);
      const count = countedFor(name);
      const { values, refused } = count;
      const print = fingerprint(value);
      if (values.has(print)) return 'admitted';
      if (values.size < cap && total < maxValues) {
        values.add(print);
        total += 1;
        return 'admitted';
      }
      count.refused = true;
      return refused ? 'refused' : 'first_refused';
    },
    preview: () => {
      const view: CardinalityGate = {
        admit: ({ name, value, maxValues: cap, now }) => {
          const values = Math.floor(now / DAY_MS) === day ? counted.get(name)?.values : undefined;
          const fits = values === undefined || values.has(fingerprint(value)) || values.size < cap;
          return fits ? 'admitted' : 'refused';
        },
        preview: () => view,
      };
      return view;
    },
  };
}

/**
 * 53 bits of a text (cyrb53). Numbers instead of texts: a text may be a slice that keeps a whole request body alive. Two
 * texts with one print count once, which for 100,000 values happens with a chance of 1 in 1.8 million.
 */
function fingerprint(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
