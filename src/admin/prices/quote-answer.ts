import type { PriceBook } from '#pricing';
import { formatUsd, usdNumber, type Meters, type PicoUsd } from '#terms';
import type { Quote } from './quote.ts';

/** Money is stated twice: a number for clients that format it, and the exact amount. */
export function toWireQuote({ priced, usage, rated, upperBound, priceBook }: Quote, book: PriceBook): object {
  const { cost, listCost, billed, computedCost, state } = rated;
  return {
    object: 'price_quote',
    provider: priced.provider,
    account: priced.account,
    model: priced.model,
    cost_usd: cost === null ? null : usdNumber(cost),
    cost_usd_exact: exact(cost),
    cost_state: state,
    list_cost_usd_exact: exact(listCost),
    billed_usd_exact: exact(billed),
    computed_cost_usd_exact: exact(computedCost),
    reported_cost_usd_exact: state === 'reported' ? exact(cost) : null,
    upper_bound_usd_exact: exact(upperBound),
    meters: used(usage.meters),
    other_meters: (usage.others ?? []).map(({ model, meters }) => ({ model, meters: used(meters) })),
    lines: rated.charges.map(({ meter, quantity, unitPrice, amount, priceRow }) => ({
      meter,
      quantity,
      unit_price_usd: unitPrice.amount,
      per: unitPrice.per,
      amount_usd_exact: formatUsd(amount),
      price_row: priceRow,
      model: modelOf(priceRow, book),
    })),
    unpriced_meters: rated.unpricedMeters,
    reason: rated.reason ?? null,
    price_book: priceBook,
    terms: rated.terms,
    currency: 'USD',
  };
}

function exact(amount: PicoUsd | null): string | null {
  return amount === null ? null : formatUsd(amount);
}

function used(meters: Meters): Record<string, number> {
  return Object.fromEntries(Object.entries(meters).filter(([, quantity]) => quantity !== 0));
}

/** The model of the row that gave the price; null for a row of the request's own. */
function modelOf(priceRow: string, book: PriceBook): string | null {
  const [first] = priceRow.split('+');
  return book.rows.find(({ id }) => id === first)?.model ?? null;
}
