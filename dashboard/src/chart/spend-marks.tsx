import { line, stack } from 'd3-shape';
import { useId } from 'react';
import type { Layout } from './layout.ts';
import type { Series, SpendData } from './spend-data.ts';

type MarksProps = { readonly data: SpendData; readonly layout: Layout };

/** Parts of a whole are stacked. Series that overlap would stack up to more than was spent, so they are lines. */
export function SpendMarks({ data, layout }: MarksProps) {
  return data.overlapping ? <Lines data={data} layout={layout} /> : <Bars data={data} layout={layout} />;
}

function Bars({ data, layout }: MarksProps) {
  const hatch = useId();
  const stacked = stack<readonly number[], number>()
    .keys(data.series.keys())
    .value((costs, at) => costs[at] ?? Number.NaN)(data.buckets.map(({ cells }) => cells.map((cell) => cell.cost)));
  const gap = layout.barWidth >= 6 ? 1 : 0;
  return (
    <>
      <defs>
        <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="5" height="5" className="fill-surface" />
          <rect width="2" height="5" fill="var(--series-untagged)" />
        </pattern>
      </defs>
      {stacked.map((column, at) => {
        const series = data.series[at];
        return series === undefined ? null : (
          <g key={series.value} data-series={series.value} {...paint(series, hatch)}>
            {column.map(([from, to], index) => {
              const [top, bottom] = [layout.y(to), layout.y(from)];
              const height = bottom - top;
              // A hair of space tells neighbours apart; a segment too thin for it keeps its full height.
              return height <= 0 ? null : (
                <rect
                  key={index}
                  x={layout.barX(index)}
                  y={top}
                  width={layout.barWidth}
                  height={Math.max(0.75, height > 3 ? height - gap : height)}
                  rx={height > 4 && layout.barWidth > 8 ? 1.5 : 0}
                />
              );
            })}
          </g>
        );
      })}
    </>
  );
}

function paint(series: Series, hatch: string): { fill: string; stroke?: string; strokeWidth?: number } {
  if (series.kind !== 'untagged') return { fill: series.colour };
  return { fill: `url(#${hatch})`, stroke: series.colour, strokeWidth: 1 };
}

function Lines({ data, layout }: MarksProps) {
  const middle = (index: number): number => layout.slotX(index) + layout.slotWidth / 2;
  const path = line<number>()
    .x((_, index) => middle(index))
    .y((cost) => layout.y(cost));
  return data.series.map((series, at) => {
    const costs = data.buckets.map((bucket) => bucket.cells[at]?.cost ?? Number.NaN);
    return (
      <g key={series.value} data-series={series.value}>
        <path
          d={path(costs) ?? ''}
          fill="none"
          stroke={series.colour}
          strokeWidth={1.75}
          {...(series.kind === 'value' ? {} : { strokeDasharray: '4 3' })}
        />
        {costs.map((cost, index) =>
          cost > 0 ? <circle key={index} cx={middle(index)} cy={layout.y(cost)} r={2.25} fill={series.colour} /> : null,
        )}
      </g>
    );
  });
}
