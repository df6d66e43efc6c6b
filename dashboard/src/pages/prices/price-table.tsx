import type { PriceRow } from '../../api/prices.ts';
import { UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact } from '../../money/quantity.ts';
import { formatUnitPrice } from '../../money/unit-price.ts';
import { formatDay } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';

const COLUMNS = [
  { meter: 'input', title: 'Input' },
  { meter: 'output_text', title: 'Output' },
  { meter: 'cache_read', title: 'Cache read' },
] as const;

const SHOWN: ReadonlySet<string> = new Set(COLUMNS.map(({ meter }) => meter));

/** One row per price while it is in force. */
export function PriceTable({ rows, asked }: { readonly rows: readonly PriceRow[]; readonly asked: string }) {
  if (rows.length === 0) {
    return (
      <p className="border-t border-line px-4 py-6 text-[13px] text-ink-2">
        {asked === '' ? 'There are no prices.' : `No price is known for ${asked}.`} Say one with{' '}
        <code className="font-mono text-xs">POST /v1/prices</code> or in the configuration file.
      </p>
    );
  }
  return (
    <div className="relative overflow-x-auto">
      <table className="figures w-full border-collapse text-[13px]">
        <caption className="sr-only">Prices in force</caption>
        <thead>
          <tr className="h-8 border-y border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
            <th scope="col" className="pl-4">
              Model
            </th>
            {COLUMNS.map(({ meter, title }) => (
              <th
                key={meter}
                scope="col"
                className={`px-3 text-right ${meter === 'cache_read' ? 'max-md:hidden' : ''}`}
              >
                {title}
              </th>
            ))}
            <th scope="col" className="px-3 max-lg:hidden">
              Further
            </th>
            <th scope="col" className="px-3 max-md:hidden">
              Since
            </th>
            <th scope="col" className="pr-4 pl-3 max-sm:hidden">
              Source
            </th>
          </tr>
        </thead>
        <tbody>
          {mainRowsFirst(rows).map((row) => (
            <PriceLine key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A model's prices before the rows that only add to them: limits, tiers, regions. */
function mainRowsFirst(rows: readonly PriceRow[]): readonly PriceRow[] {
  const models = Map.groupBy(rows, ({ provider, model }) => `${provider}/${model}`);
  return [...models.values()].flatMap((own) => own.toSorted((left, right) => Number(adds(left)) - Number(adds(right))));
}

function adds({ rates }: PriceRow): boolean {
  return Object.keys(rates).length === 0;
}

function PriceLine({ row }: { readonly row: PriceRow }) {
  return (
    <tr className="border-b border-line last:border-0 hover:bg-hover">
      <td className="w-full max-w-0 min-w-36 py-2 pl-4 align-top sm:w-[32%]">
        <span className={`block truncate leading-5 ${adds(row) ? 'pl-4 text-ink-2' : 'font-medium'}`} title={row.model}>
          {adds(row) && 'adds to '}
          {row.model === '*' ? 'every model' : row.model}
        </span>
        <span className={`block truncate text-xs text-ink-3 ${adds(row) ? 'pl-4' : ''}`} title={row.id}>
          {row.provider}, {row.id}
        </span>
      </td>
      {COLUMNS.map(({ meter }) => (
        <td
          key={meter}
          className={`px-3 py-2 text-right align-top leading-5 whitespace-nowrap ${meter === 'cache_read' ? 'max-md:hidden' : ''}`}
        >
          {priceOf(row, meter)}
        </td>
      ))}
      <td className="max-w-56 px-3 py-2 align-top leading-5 text-ink-2 max-lg:hidden">
        <span className="block truncate" title={furtherOf(row).join('\n')}>
          {furtherOf(row).length === 0 ? UNKNOWN_AMOUNT : furtherOf(row).join(', ')}
        </span>
      </td>
      <td className="px-3 py-2 align-top leading-5 whitespace-nowrap text-ink-2 max-md:hidden">
        {row.effective_from === null ? 'ever' : dayOf(row.effective_from)}
        {row.effective_to !== null && ` – ${dayOf(row.effective_to)}`}
      </td>
      <td className="max-w-52 py-2 pr-4 pl-3 align-top leading-5 max-sm:hidden">
        <span className="flex items-center gap-2">
          <Badge tone={row.layer === 'operator' ? 'good' : 'neutral'}>{LAYERS[row.layer] ?? row.layer}</Badge>
          <SourceLink source={row.source} />
        </span>
        <span className="block text-xs text-ink-3">
          {row.checked === null ? 'as the package has it' : `checked ${row.checked}`}
        </span>
      </td>
    </tr>
  );
}

const LAYERS: Readonly<Record<string, string>> = { operator: 'yours', overlay: 'ours', seed: 'package' };

function priceOf({ rates }: PriceRow, meter: string): string {
  const rate = rates[meter];
  return rate === undefined ? UNKNOWN_AMOUNT : formatUnitPrice(rate);
}

/** What else decides the price. */
function furtherOf(row: PriceRow): readonly string[] {
  const meters = Object.entries(row.rates).filter(([meter]) => !SHOWN.has(meter));
  return [
    ...meters.map(([meter, rate]) => `${meter.replaceAll('_', ' ')} ${formatUnitPrice(rate)}`),
    ...row.tiers.map(({ op, threshold }) => `from ${op === 'gt' ? 'over ' : ''}${threshold / 1000}K input tokens`),
    ...Object.keys(row.service_tiers).map((tier) => `tier ${tier}`),
    ...Object.keys(row.geo).map((geo) => `region ${geo}`),
    ...(row.context_window === null ? [] : [`context ${formatCompact(row.context_window)}`]),
    ...(row.max_output_tokens === null ? [] : [`output at most ${formatCompact(row.max_output_tokens)}`]),
  ];
}

function SourceLink({ source }: { readonly source: string }) {
  if (!source.startsWith('https://')) return <span className="truncate text-ink-2">{source}</span>;
  return (
    <a
      href={source}
      target="_blank"
      rel="noreferrer"
      title={source}
      className="truncate text-ink-2 underline decoration-line-strong underline-offset-4 hover:text-ink"
    >
      {new URL(source).hostname}
    </a>
  );
}

function dayOf(instant: string): string {
  const day = instant.slice(0, 10);
  return `${formatDay(day)}, ${day.slice(0, 4)}`;
}
