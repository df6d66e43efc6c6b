import { Link } from '@tanstack/react-router';
import { CircleHelp, FlaskConical, Receipt, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Summary } from '../../api/totals.ts';
import { formatExactMoney, formatMoney, isZeroMoney } from '../../money/money.ts';
import { plural } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';

/** What a total alone would hide. Each stands here only when there is something to say. */
export function Notices({ summary }: { readonly summary: Summary }) {
  const { in_doubt_events: inDoubt, unpriced_events: unpriced, incomplete_events: incomplete } = summary;
  const amounts = amountsOf(summary);
  const certain = inDoubt + unpriced + incomplete === 0 && isZeroMoney(summary.estimated_cost_exact);
  const nothing = certain && !summary.sandbox && amounts === null;
  if (nothing) return null;
  return (
    <ul aria-label="What to know about this total" className="flex flex-wrap gap-2 text-[13px]">
      {inDoubt > 0 && (
        <Notice Icon={TriangleAlert} look="border-bad-line bg-bad-soft" iconLook="text-bad">
          <b className="font-semibold">{plural(inDoubt, 'call')} in doubt</b>, at most{' '}
          <span title={formatExactMoney(summary.at_risk_exact)}>{formatMoney(summary.at_risk_exact)}</span> at risk. Not
          part of spend. <InDoubtLink />
        </Notice>
      )}
      {unpriced > 0 && (
        <Notice Icon={CircleHelp} look="border-warn-line bg-warn-soft" iconLook="text-warn">
          <b className="font-semibold">{plural(unpriced, 'unpriced call')}</b>: no price is known, so spend leaves{' '}
          {unpriced === 1 ? 'it' : 'them'} out. <PricesLink />
        </Notice>
      )}
      {incomplete > 0 && (
        <Notice Icon={CircleHelp} look="border-warn-line bg-warn-soft" iconLook="text-warn">
          <b className="font-semibold">{plural(incomplete, 'incomplete call')}</b>: a part of what{' '}
          {incomplete === 1 ? 'it' : 'they'} used has no price, and is left out. <PricesLink />
        </Notice>
      )}
      {amounts !== null && (
        <Notice Icon={Receipt} look="border-line bg-surface" iconLook="text-ink-3">
          {amounts}
        </Notice>
      )}
      {!isZeroMoney(summary.estimated_cost_exact) && (
        <Notice Icon={CircleHelp} look="border-line bg-surface" iconLook="text-ink-3">
          <span title={formatExactMoney(summary.estimated_cost_exact)}>
            {formatMoney(summary.estimated_cost_exact)}
          </span>{' '}
          of spend is estimated: the provider reported no usage.
        </Notice>
      )}
      {summary.sandbox && (
        <Notice Icon={FlaskConical} look="border-dashed border-warn-line bg-surface" iconLook="text-warn">
          <b className="font-semibold">sandbox: play money</b>{' '}
          <span title={formatExactMoney(summary.sandbox_cost_exact)}>{formatMoney(summary.sandbox_cost_exact)}</span> of
          spend is not real.
        </Notice>
      )}
    </ul>
  );
}

/** List price and billed amount, where contracts or markups set them apart from the cost. */
function amountsOf(summary: Summary): ReactNode {
  const { total_cost_exact: cost, total_list_cost_exact: list, total_billed_exact: billed } = summary;
  if (list === cost && billed === cost) return null;
  return (
    <>
      <Amount exact={list} /> at list prices, <Amount exact={cost} /> cost, <Amount exact={billed} /> billed.
    </>
  );
}

function Amount({ exact }: { readonly exact: string }) {
  return (
    <b className="font-semibold" title={formatExactMoney(exact)}>
      {formatMoney(exact)}
    </b>
  );
}

function InDoubtLink() {
  return (
    <Link
      to="/ui/requests"
      search={(previous) => ({ ...parseSearch(previous), cost_state: 'in_doubt', page: 1, call: '' })}
      className="underline underline-offset-4"
    >
      See them
    </Link>
  );
}

function PricesLink() {
  return (
    <Link
      to="/ui/prices"
      search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
      className="underline underline-offset-4"
    >
      See prices
    </Link>
  );
}

type NoticeProps = {
  readonly Icon: typeof CircleHelp;
  readonly look: string;
  readonly iconLook: string;
  readonly children: ReactNode;
};

function Notice({ Icon, look, iconLook, children }: NoticeProps) {
  return (
    <li className={`flex items-start gap-2 rounded-md border px-3 py-1.5 ${look}`}>
      <Icon aria-hidden className={`mt-0.5 size-3.5 shrink-0 ${iconLook}`} />
      <span>{children}</span>
    </li>
  );
}
