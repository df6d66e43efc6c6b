import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { TagKey } from '../../api/tags.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatCount, plural } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Coverage } from './coverage.tsx';
import { senderWords } from './sender-words.ts';

const FIRST_KEYS = 20;

/** The registry: one row per key, dearest first; then those that are described but not sent. */
export function KeyTable({ keys, tz }: { readonly keys: readonly TagKey[]; readonly tz: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? keys : keys.slice(0, FIRST_KEYS);
  const today = dayIn(tz, nowMs());
  return (
    <section aria-labelledby="keys-heading" className="rounded-lg border border-line bg-surface shadow-card">
      <h2 id="keys-heading" className="px-4 pt-3 pb-2 text-[13px] font-semibold">
        Keys
        <span className="ml-2 font-normal text-ink-3">one value per call</span>
      </h2>
      {keys.length === 0 ? (
        <p className="border-t border-line px-4 py-3 text-[13px] text-ink-2">
          No call of this period carries a tag with a key, such as feature:chatbot.
        </p>
      ) : (
        <div className="relative overflow-x-auto">
          <table className="w-full border-collapse text-[13px]">
            <caption className="sr-only">Tag keys</caption>
            <thead>
              <tr className="h-8 border-b border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
                <th scope="col" className="pl-4">
                  Key
                </th>
                <th scope="col" className="px-3">
                  Coverage
                </th>
                <th scope="col" className="hidden px-3 text-right sm:table-cell">
                  Values
                </th>
                <th scope="col" className="hidden px-3 text-right md:table-cell">
                  Requests
                </th>
                <th scope="col" className="hidden px-3 text-right lg:table-cell">
                  Last seen
                </th>
                <th scope="col" className="hidden px-3 lg:table-cell">
                  Sent by
                </th>
                <th scope="col" className="hidden px-3 md:table-cell">
                  Owner
                </th>
                <th scope="col" className="pr-4 pl-3 text-right">
                  Cost
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((key) => (
                <KeyRow
                  key={key.key}
                  tag={key}
                  last={key.last_seen === null ? 'not seen' : stampIn(tz, Date.parse(key.last_seen), today)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {keys.length > shown.length && (
        <div className="border-t border-line px-4 py-2">
          <Button look="quiet" onClick={() => setAll(true)}>
            Show all {plural(keys.length, 'key')}
          </Button>
        </div>
      )}
    </section>
  );
}

function KeyRow({ tag, last }: { readonly tag: TagKey; readonly last: string }) {
  return (
    <tr className="group relative border-b border-line last:border-0 hover:bg-hover">
      <td className="w-full max-w-0 min-w-28 py-2 pl-4 align-top md:w-[26%]">
        <Link
          to="/ui/tags/$key"
          params={{ key: tag.key }}
          search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
          className="block truncate rounded-sm leading-5 font-medium decoration-line-strong underline-offset-4 group-hover:underline after:absolute after:inset-0"
        >
          {tag.key}
        </Link>
        {tag.description !== null && (
          <span className="block truncate text-xs text-ink-3" title={tag.description}>
            {tag.description}
          </span>
        )}
      </td>
      <td className="w-28 min-w-28 px-3 py-2 align-top leading-5 md:w-[22%] md:min-w-40">
        <Coverage
          share={tag.cost_share}
          title={`${formatExactMoney(tag.cost_exact)} of the spend carries ${tag.key}`}
        />
      </td>
      <td
        className="hidden px-3 py-2 text-right align-top leading-5 sm:table-cell"
        title="About as many different values; exact up to some hundreds"
      >
        {formatCompact(tag.distinct_values)}
      </td>
      <td
        className="hidden px-3 py-2 text-right align-top leading-5 md:table-cell"
        title={plural(tag.calls, 'request')}
      >
        {formatCompact(tag.calls)}
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 lg:table-cell">
        {last}
      </td>
      <td className="hidden max-w-40 px-3 py-2 align-top leading-5 lg:table-cell">
        <span
          className="block truncate text-ink-2"
          title={tag.sent_by.map((each) => `${each.key_name}: ${formatCount(each.calls)}`).join('\n')}
        >
          {senderWords(tag)}
        </span>
      </td>
      <td className="hidden max-w-36 px-3 py-2 align-top leading-5 md:table-cell">
        <span className="block truncate text-ink-2">{tag.owner ?? UNKNOWN_AMOUNT}</span>
      </td>
      <td
        className="py-2 pr-4 pl-3 text-right align-top leading-5 font-medium"
        title={formatExactMoney(tag.cost_exact)}
      >
        {formatMoney(tag.cost_exact)}
      </td>
    </tr>
  );
}
