import type { CallDetail } from '../../api/events.ts';
import { formatExactMoney } from '../../money/money.ts';

/** The amounts beside the cost. They stand here only where one of them differs from it. */
export function CallAmounts({ call }: { readonly call: CallDetail }) {
  const { cost_usd_exact: cost, computed_cost_usd_exact: computed } = call;
  if (cost === null) return null;
  const amounts = [
    { name: 'Cost', amount: cost, says: call.cost_state === 'reported' ? 'as the provider reported it' : '' },
    { name: 'Computed', amount: call.cost_state === 'reported' ? computed : null, says: 'by our prices, to compare' },
    { name: 'List', amount: call.list_cost_usd_exact, says: 'at public prices' },
    { name: 'Billed', amount: call.billed_usd_exact, says: 'what is charged on' },
  ].filter((each) => each.amount !== null);
  if (amounts.every(({ amount }) => amount === cost)) return null;
  return (
    <section>
      <h3 className="mb-2 text-xs font-semibold text-ink-2">Amounts</h3>
      <dl className="grid grid-cols-[112px_minmax(0,1fr)] text-[13px]">
        {amounts.map(({ name, amount, says }) => (
          <div key={name} className="contents">
            <dt className="py-1 leading-5 text-ink-3">{name}</dt>
            <dd className="py-1 leading-5">
              <span className="font-mono text-xs">{formatExactMoney(amount ?? '')}</span>
              {says !== '' && <span className="ml-2 text-ink-3">{says}</span>}
            </dd>
          </div>
        ))}
        {call.price_terms.length > 0 && (
          <div className="contents">
            <dt className="py-1 leading-5 text-ink-3">By</dt>
            <dd className="py-1 leading-5 break-words">{call.price_terms.join(', ')}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}
