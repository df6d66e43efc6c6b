import type { Session } from '../../api/sessions.ts';
import { formatExactMoney, formatMoney, isZeroMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { Badge } from '../../ui/badge.tsx';

type Measured = Pick<
  Session,
  'cost_exact' | 'turns' | 'unpriced_events' | 'in_doubt_events' | 'at_risk_exact' | 'estimated_cost_exact'
>;

/** A cost with what it leaves out beside it: a session nobody can price is not a free one. */
export function SessionCost({ of }: { readonly of: Measured }) {
  const unknown = of.turns > 0 && of.unpriced_events + of.in_doubt_events >= of.turns && isZeroMoney(of.cost_exact);
  return (
    <span className="inline-flex flex-wrap items-center justify-end gap-x-2 gap-y-1">
      {of.in_doubt_events > 0 && (
        <Badge tone="bad" title={`${formatExactMoney(of.at_risk_exact)} at risk, not part of the cost`}>
          {of.in_doubt_events} in doubt
        </Badge>
      )}
      {of.unpriced_events > 0 && (
        <Badge tone="warn" title="No price is known for these calls; they are not part of the cost">
          {of.unpriced_events} unpriced
        </Badge>
      )}
      <span className="font-medium" title={formatExactMoney(of.cost_exact)}>
        {unknown ? UNKNOWN_AMOUNT : formatMoney(of.cost_exact)}
      </span>
    </span>
  );
}

/** Who the session is for, as far as its calls agree. */
export function SessionEntity({ of }: { readonly of: Pick<Session, 'entity_type' | 'entity_id'> }) {
  if (of.entity_id === null) return <span className="text-ink-3">{UNKNOWN_AMOUNT}</span>;
  if (of.entity_type === null) {
    return (
      <span className="text-ink-2 italic" title="Its calls name several, or some name none">
        {of.entity_id}
      </span>
    );
  }
  return (
    <span className="block max-w-44 truncate leading-5" title={`${of.entity_type}/${of.entity_id}`}>
      <span className="text-ink-3">{of.entity_type}/</span>
      {of.entity_id}
    </span>
  );
}

/** `gpt-4o, gpt-4o-mini`, and how many more. */
export function modelWords(models: readonly string[]): string {
  const [first, second, ...more] = models;
  if (first === undefined) return UNKNOWN_AMOUNT;
  if (second === undefined) return first;
  return more.length === 0 ? `${first}, ${second}` : `${first}, ${second} +${more.length}`;
}
