import { formatExactMoney } from '../money/money.ts';
import { plural } from '../money/quantity.ts';
import type { Bucket, SpendData } from './spend-data.ts';
import { Swatch } from './swatch.tsx';

const TOOLTIP_WIDTH = 248;
const OFFSET = 8;

type SpendTooltipProps = {
  readonly id: string;
  readonly title: string;
  readonly bucket: Bucket;
  readonly data: SpendData;
  /** The highlighted slot, and the width of the chart. */
  readonly place: { readonly from: number; readonly to: number; readonly width: number };
};

export function SpendTooltip({ id, title, bucket, data, place }: SpendTooltipProps) {
  const rows = data.series.flatMap((series, at) => {
    const cell = bucket.cells[at];
    return cell === undefined || cell.cost === 0 ? [] : [{ series, cell }];
  });
  const fitsRight = place.to + OFFSET + TOOLTIP_WIDTH <= place.width;
  const left = fitsRight ? place.to + OFFSET : Math.max(0, place.from - OFFSET - TOOLTIP_WIDTH);
  return (
    <div
      id={id}
      aria-live="polite"
      data-tooltip
      className="figures pointer-events-none absolute top-2 z-10 rounded-lg bg-surface p-3 text-xs shadow-pop"
      style={{ left, width: TOOLTIP_WIDTH }}
    >
      <div className="flex justify-between gap-3 font-medium">
        <span>{title}</span>
        <span>{formatExactMoney(bucket.total.exact)}</span>
      </div>
      <div className="mt-0.5 text-ink-3">{plural(bucket.requests, 'request')}</div>
      {rows.length > 0 && (
        <ul className="mt-2 space-y-1 border-t border-line pt-2">
          {rows.map(({ series, cell }) => (
            <li key={series.value} className="flex items-center gap-2">
              <Swatch colour={series.colour} kind={series.kind} />
              <span className="min-w-0 flex-1 truncate text-ink-2">{series.value}</span>
              <span>{formatExactMoney(cell.exact)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
