import type { Charge } from '#terms';

/** A charge as an entry has it. `quantity` and `amount` are negative in a correction that takes a line back. */
export type ChargeLine = {
  readonly meter: string;
  readonly quantity: string;
  readonly unit_amount: string;
  readonly unit_per: number;
  /** Integer pico-dollars. */
  readonly amount: string;
  readonly price_row: string;
};

export function toChargeLine(charge: Charge): ChargeLine {
  return {
    meter: charge.meter,
    quantity: String(charge.quantity),
    unit_amount: charge.unitPrice.amount,
    unit_per: charge.unitPrice.per,
    amount: charge.amount.toString(),
    price_row: charge.priceRow,
  };
}

export function takenBack(lines: readonly ChargeLine[]): readonly ChargeLine[] {
  return lines.map((line) => ({ ...line, quantity: negated(line.quantity), amount: negated(line.amount) }));
}

/** What is left when lines that take each other back are struck out, in the order they came. */
export function openLines(lines: readonly ChargeLine[]): readonly ChargeLine[] {
  const open: (ChargeLine | null)[] = [];
  const places = new Map<string, number[]>();
  for (const line of lines) {
    const opposite = places.get(JSON.stringify(identityOf(takenBack([line])[0] ?? line)))?.pop();
    if (opposite !== undefined) {
      open[opposite] = null;
      continue;
    }
    const identity = JSON.stringify(identityOf(line));
    places.set(identity, [...(places.get(identity) ?? []), open.length]);
    open.push(line);
  }
  return open.filter((line) => line !== null);
}

function identityOf({ meter, quantity, unit_amount, unit_per, amount, price_row }: ChargeLine): readonly unknown[] {
  return [meter, quantity, unit_amount, unit_per, amount, price_row];
}

function negated(number: string): string {
  if (/^-?0$/.test(number)) return '0';
  return number.startsWith('-') ? number.slice(1) : `-${number}`;
}
