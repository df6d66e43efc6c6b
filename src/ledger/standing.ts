import { invariant } from '#std';
import { METERS, picoUsd, type CostState, type Meter, type Meters, type PicoUsd } from '#terms';
import { openLines, type ChargeLine } from './charge-line.ts';
import type { EntryRecord } from './entry-record.ts';

/** What an entry and its corrections say together. `cost` is null exactly when `state` is `unpriced` or `in_doubt`. */
export type Standing = {
  readonly state: CostState;
  readonly reason: string;
  readonly cost: PicoUsd | null;
  /** Null in entries older than the amount, and where public prices do not price the usage; reports then count the cost. */
  readonly listCost: PicoUsd | null;
  readonly billed: PicoUsd | null;
  readonly computedCost: PicoUsd | null;
  readonly atRisk: PicoUsd | null;
  readonly meters: Meters;
  readonly charges: readonly ChargeLine[];
  /** The usage object that was told last, and where its quantities are from; what the entry has, where nobody told another. */
  readonly usage: { readonly origin: string; readonly raw: string };
  readonly corrections: number;
};

/** @param corrections of this entry, in any order */
export function standingOf(original: EntryRecord, corrections: readonly EntryRecord[]): Standing {
  const ordered = corrections.toSorted((left, right) => orderOf(left) - orderOf(right));
  for (const { corrects } of ordered) invariant(corrects === original.entryId, 'a correction is of this entry');
  const all = [original, ...ordered];
  const last = all.at(-1) ?? original;
  const told = ordered.findLast(({ usageRaw }) => usageRaw !== '') ?? original;
  const known = last.costState !== 'unpriced' && last.costState !== 'in_doubt';
  const sum = (read: (entry: EntryRecord) => PicoUsd | null): PicoUsd | null => (known ? sumOf(all.map(read)) : null);
  return {
    state: last.costState,
    reason: last.costReason,
    cost: sum((entry) => entry.cost),
    listCost: sum((entry) => entry.listCost),
    billed: sum((entry) => entry.billed),
    computedCost: sum((entry) => entry.computedCost),
    atRisk: last.costState === 'in_doubt' ? sumOf(all.map((entry) => entry.atRisk)) : null,
    meters: metersOf(all),
    charges: openLines(all.flatMap((entry) => entry.charges)),
    usage: { origin: told.usageOrigin, raw: told.usageRaw },
    corrections: ordered.length,
  };
}

/** The n-th correction of its entry: the last part of `<call>.<attempt>.correction.<n>`. */
function orderOf({ entryId }: EntryRecord): number {
  const n = Number(entryId.slice(entryId.lastIndexOf('.') + 1));
  invariant(Number.isInteger(n), `${entryId} ends in a number`);
  return n;
}

/** Null when nothing is known. */
function sumOf(amounts: readonly (PicoUsd | null)[]): PicoUsd | null {
  let total: bigint | null = null;
  for (const amount of amounts) if (amount !== null) total = total === null ? amount : total + amount;
  return total === null ? null : picoUsd(total);
}

function metersOf(entries: readonly EntryRecord[]): Meters {
  const sums = new Map<Meter, number>();
  for (const { meters } of entries) {
    for (const meter of METERS) {
      const quantity = meters[meter];
      if (quantity !== undefined) sums.set(meter, (sums.get(meter) ?? 0) + quantity);
    }
  }
  return Object.fromEntries(sums);
}
