import { useId, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { formatMoney } from '../money/money.ts';
import { formatAxisMoney } from '../money/quantity.ts';
import { longLabel, shortLabel } from './bucket-label.ts';
import { CHART_HEIGHT, layoutOf, type Layout } from './layout.ts';
import { SpendMarks } from './spend-marks.tsx';
import { SpendTooltip } from './spend-tooltip.tsx';
import type { Bucket, SpendData } from './spend-data.ts';
import { useWidth } from './use-width.ts';

type SpendChartProps = { readonly data: SpendData; readonly zone: string; readonly label: string };

/** Spend over time, stacked by series. Pointer and arrow keys go from bucket to bucket; the figures are in a tooltip. */
export function SpendChart({ data, zone, label }: SpendChartProps) {
  const [box, width] = useWidth();
  const [active, setActive] = useState<number | null>(null);
  const tooltipId = useId();
  const labels = data.buckets.map((bucket) => shortLabel(bucket, data.interval, zone));
  const layout = layoutOf(data, {
    width,
    longestLabel: Math.max(...labels.map((each) => each.length)),
    format: formatAxisMoney,
  });
  const bucket = active === null ? undefined : data.buckets[active];
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = keyTarget(event.key, active, data.buckets.length);
    if (next === undefined) return;
    event.preventDefault();
    setActive(next);
  };
  const onPointerMove = (event: PointerEvent<SVGSVGElement>): void => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const index = Math.floor((x - layout.slotX(0)) / layout.slotWidth);
    setActive(x < layout.left ? null : Math.max(0, Math.min(data.buckets.length - 1, index)));
  };
  return (
    <div ref={box} className="relative" style={{ height: CHART_HEIGHT }}>
      {width > 0 && (
        <svg
          // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- an input cannot hold the drawing
          role="slider"
          aria-roledescription="chart"
          aria-label={label}
          aria-valuemin={1}
          aria-valuemax={data.buckets.length}
          aria-valuenow={(active ?? data.buckets.length - 1) + 1}
          aria-valuetext={bucket === undefined ? 'Arrow keys go through the figures' : summaryOf(bucket, data, zone)}
          aria-describedby={bucket === undefined ? undefined : tooltipId}
          tabIndex={0}
          width={width}
          height={CHART_HEIGHT}
          onPointerMove={onPointerMove}
          onPointerLeave={() => setActive(null)}
          onBlur={() => setActive(null)}
          onKeyDown={onKeyDown}
          className="block touch-pan-y rounded"
        >
          <Axis layout={layout} labels={labels} />
          {active !== null && (
            <rect
              x={layout.slotX(active)}
              y={layout.ticks.at(-1)?.y ?? 0}
              width={layout.slotWidth}
              height={layout.baseline - (layout.ticks.at(-1)?.y ?? 0)}
              className="fill-ink"
              opacity={0.05}
            />
          )}
          <SpendMarks data={data} layout={layout} />
        </svg>
      )}
      {bucket !== undefined && active !== null && (
        <SpendTooltip
          id={tooltipId}
          title={longLabel(bucket, data.interval, zone)}
          bucket={bucket}
          data={data}
          place={{ from: layout.slotX(active), to: layout.slotX(active) + layout.slotWidth, width }}
        />
      )}
    </div>
  );
}

function summaryOf(bucket: Bucket, data: SpendData, zone: string): string {
  return `${longLabel(bucket, data.interval, zone)}: ${formatMoney(bucket.total.exact)}`;
}

function keyTarget(key: string, active: number | null, count: number): number | null | undefined {
  switch (key) {
    case 'ArrowRight':
      return Math.min(count - 1, active === null ? 0 : active + 1);
    case 'ArrowLeft':
      return Math.max(0, active === null ? count - 1 : active - 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}

type AxisProps = { readonly layout: Layout; readonly labels: readonly string[] };

function Axis({ layout, labels }: AxisProps) {
  return (
    <g aria-hidden className="text-[11px] tabular-nums">
      {layout.ticks.map((tick) => (
        <g key={tick.value}>
          <line
            x1={layout.left}
            x2={layout.right}
            y1={tick.y}
            y2={tick.y}
            className={tick.value === 0 ? 'stroke-line-strong' : 'stroke-line'}
          />
          <text x={layout.left - 8} y={tick.y} dy="0.32em" textAnchor="end" className="fill-ink-3">
            {tick.label}
          </text>
        </g>
      ))}
      {labels.map((text, index) =>
        // The newest bucket is the one people look at, so labels are counted back from it.
        (labels.length - 1 - index) % layout.labelEvery === 0 ? (
          <text
            key={index}
            x={Math.min(layout.slotX(index) + layout.slotWidth / 2, layout.right - text.length * 3)}
            y={CHART_HEIGHT - 7}
            textAnchor="middle"
            className="fill-ink-3"
          >
            {text}
          </text>
        ) : null,
      )}
    </g>
  );
}
