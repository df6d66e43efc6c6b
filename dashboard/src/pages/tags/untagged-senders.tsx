import { Link } from '@tanstack/react-router';
import type { Hygiene } from '../../api/tags.ts';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { formatCompact, plural } from '../../money/quantity.ts';
import { withFilter } from '../../search/filters.ts';
import { parseSearch } from '../../search/search.ts';
import { Coverage } from './coverage.tsx';

const SHOWN = 8;

/** Whom to ask about spend that carries no tag at all. */
export function UntaggedSenders({ senders }: { readonly senders: Hygiene['untagged']['by_api_key'] }) {
  if (senders.length === 0) return null;
  return (
    <section aria-labelledby="senders-heading" className="rounded-lg border border-line bg-surface shadow-card">
      <h2 id="senders-heading" className="px-4 pt-3 pb-2 text-[13px] font-semibold">
        Who sends untagged calls
        <span className="ml-2 font-normal text-ink-3">share of what the key spends</span>
      </h2>
      <table className="w-full border-collapse border-t border-line text-[13px]">
        <caption className="sr-only">Keys that send calls without any tag</caption>
        <thead className="sr-only">
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Untagged share</th>
            <th scope="col">Untagged requests</th>
            <th scope="col">Untagged cost</th>
          </tr>
        </thead>
        <tbody>
          {senders.slice(0, SHOWN).map((sender) => (
            <tr key={sender.key_id} className="group relative h-9 border-b border-line last:border-0 hover:bg-hover">
              <td className="w-[40%] max-w-0 pl-4">
                <Link
                  to="/ui/requests"
                  search={(previous) => {
                    const search = parseSearch(previous);
                    return { ...search, ...withFilter(search, sender.filter), page: 1, call: '' };
                  }}
                  className="block truncate rounded-sm decoration-line-strong underline-offset-4 group-hover:underline after:absolute after:inset-0"
                >
                  {sender.key_name}
                  {sender.key_owner !== null && <span className="text-ink-3"> of {sender.key_owner}</span>}
                </Link>
              </td>
              <td className="px-3">
                <Coverage
                  share={sender.percent === null ? null : sender.percent / 100}
                  title={`${formatExactMoney(sender.cost_exact)} without any tag`}
                />
              </td>
              <td className="hidden px-3 text-right text-ink-2 sm:table-cell" title={plural(sender.calls, 'request')}>
                {formatCompact(sender.calls)}
              </td>
              <td className="pr-4 pl-3 text-right font-medium" title={formatExactMoney(sender.cost_exact)}>
                {formatMoney(sender.cost_exact)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
