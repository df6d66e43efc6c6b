import type { CallDetail, ChargeLine } from '../../api/events.ts';
import { addMoney, formatExactMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatUnitPrice } from '../../money/unit-price.ts';

/** Meter × quantity × unit price = amount, to the last digit, with the price row each line was rated by. */
export function ChargeLines({ call }: { readonly call: CallDetail }) {
  if (call.charges.length === 0 && call.unpriced_meters.length === 0) {
    return <p className="text-[13px] text-ink-2">There are no charge lines: nothing was measured that has a price.</p>;
  }
  return (
    <table className="w-full border-collapse text-[13px]">
      <thead>
        <tr className="h-7 border-b border-line text-xs text-ink-3 [&>th]:font-medium">
          <th scope="col" className="text-left">
            Meter
          </th>
          <th scope="col" className="text-right">
            Quantity
          </th>
          <th scope="col" className="hidden px-3 text-right sm:table-cell">
            Unit price
          </th>
          <th scope="col" className="text-right">
            Amount
          </th>
        </tr>
      </thead>
      <tbody>
        {call.charges.map((charge) => (
          <ChargeRow key={`${charge.meter} ${charge.price_row} ${charge.quantity}`} charge={charge} />
        ))}
        {call.unpriced_meters.map((meter) => (
          <tr key={meter} className="h-9 border-b border-line text-warn">
            <td>{meter}</td>
            <td colSpan={3} className="text-right">
              no price known
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr className="h-9 font-semibold">
          <th scope="row" colSpan={2} className="text-left font-semibold">
            Cost
          </th>
          <td className="hidden px-3 text-right text-xs font-normal text-ink-3 sm:table-cell">{sumWords(call)}</td>
          <td className="text-right font-mono text-xs">
            {call.cost_usd_exact === null ? UNKNOWN_AMOUNT : formatExactMoney(call.cost_usd_exact)}
          </td>
        </tr>
      </tfoot>
    </table>
  );
}

/** Why the cost is, or is not, what the lines add up to. */
function sumWords(call: CallDetail): string {
  const lines = addMoney(call.charges.map((charge) => charge.amount_usd_exact));
  if (call.cost_usd_exact === null || lines === call.cost_usd_exact) return 'sum of the lines';
  return call.cost_state === 'reported' ? 'as the provider reported it' : 'sum of the lines, under contract';
}

function ChargeRow({ charge }: { readonly charge: ChargeLine }) {
  return (
    <tr className="border-b border-line">
      <td className="py-1.5">
        <span className="block">{charge.meter}</span>
        <span className="block max-w-52 truncate text-2xs text-ink-3" title={charge.price_row}>
          {charge.price_row}
        </span>
      </td>
      <td className="py-1.5 text-right align-top">
        {formatQuantity(charge.quantity)}
        <span className="block text-2xs text-ink-3 sm:hidden">
          × {formatUnitPrice({ amount: charge.unit_price_usd, per: charge.per })}
        </span>
      </td>
      <td className="hidden px-3 py-1.5 text-right align-top whitespace-nowrap text-ink-2 sm:table-cell">
        × {formatUnitPrice({ amount: charge.unit_price_usd, per: charge.per })}
      </td>
      <td className="py-1.5 text-right align-top font-mono text-xs leading-5">
        {formatExactMoney(charge.amount_usd_exact)}
      </td>
    </tr>
  );
}

function formatQuantity(quantity: string): string {
  return quantity.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
}
