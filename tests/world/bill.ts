import { picoText } from './pico.ts';
import type { BilledMeters } from './price-list.ts';

/** `running` while it is being answered; `broken` when the other side went away or a scripted fault struck. */
export type Delivery = 'running' | 'complete' | 'broken';

export type BillEntry = {
  /** The `id` in the answer's body; for answers that have none, the request id in their headers. */
  readonly id: string;
  /** As the request named it. */
  readonly model: string;
  readonly usage: BilledMeters;
  readonly cost: bigint;
  readonly stream: boolean;
  readonly delivery: Delivery;
};

export type Bill = { readonly entries: readonly BillEntry[]; readonly total: bigint };

export function totalOf(entries: Iterable<Pick<BillEntry, 'cost'>>): bigint {
  let total = 0n;
  for (const entry of entries) total += entry.cost;
  return total;
}

export function toWireBill(bill: Bill): string {
  return JSON.stringify({
    total: bill.total.toString(),
    total_usd: picoText(bill.total),
    entries: bill.entries.map((entry) => ({ ...entry, cost: entry.cost.toString() })),
  });
}

type WireBill = { total: string; entries: (Omit<BillEntry, 'cost'> & { cost: string })[] };

export function fromWireBill(text: string): Bill {
  const wire: WireBill = JSON.parse(text);
  return {
    total: BigInt(wire.total),
    entries: wire.entries.map((entry) => ({ ...entry, cost: BigInt(entry.cost) })),
  };
}
