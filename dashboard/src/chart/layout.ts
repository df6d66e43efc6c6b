import { scaleBand, scaleLinear } from 'd3-scale';
import type { SpendData } from './spend-data.ts';

export const CHART_HEIGHT = 260;
const MARGIN = { top: 10, right: 4, bottom: 24, left: 4 } as const;

const TICK_COUNT = 4;
const LABEL_GAP_PX = 18;
const LABEL_CHAR_PX = 6.3;
const WIDEST_BAR_PX = 56;

export type Layout = {
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
  readonly ticks: readonly { readonly value: number; readonly y: number; readonly label: string }[];
  readonly barWidth: number;
  /** The left edge of a bucket's slot, and its width. */
  readonly slotX: (index: number) => number;
  readonly slotWidth: number;
  readonly barX: (index: number) => number;
  readonly y: (cost: number) => number;
  /** Every how many buckets there is room for a label. */
  readonly labelEvery: number;
};

type LayoutAsk = {
  readonly width: number;
  readonly longestLabel: number;
  readonly format: (value: number, step: number) => string;
};

export function layoutOf(data: SpendData, { width, longestLabel, format }: LayoutAsk): Layout {
  const y = scaleLinear()
    .domain([0, highest(data)])
    .nice(TICK_COUNT)
    .range([CHART_HEIGHT - MARGIN.bottom, MARGIN.top]);
  const values = y.ticks(TICK_COUNT);
  const step = values[1] ?? 1;
  const ticks = values.map((value) => ({ value, y: y(value), label: format(value, step) }));
  const left = MARGIN.left + Math.max(...ticks.map((tick) => tick.label.length)) * LABEL_CHAR_PX + 10;
  const right = width - MARGIN.right;
  const band = scaleBand<number>()
    .domain(data.buckets.map((_, index) => index))
    .range([left, right])
    .paddingInner(data.buckets.length > 60 ? 0.15 : 0.28)
    .paddingOuter(0.14);
  const barWidth = Math.max(1, Math.min(WIDEST_BAR_PX, band.bandwidth()));
  const slotWidth = band.step();
  const slotX = (index: number): number => (band(index) ?? left) - (slotWidth - band.bandwidth()) / 2;
  return {
    left,
    right,
    baseline: CHART_HEIGHT - MARGIN.bottom,
    ticks,
    barWidth,
    slotX,
    slotWidth,
    barX: (index) => slotX(index) + (slotWidth - barWidth) / 2,
    y,
    labelEvery: Math.max(1, Math.ceil((longestLabel * LABEL_CHAR_PX + LABEL_GAP_PX) / slotWidth)),
  };
}

/** The top of the axis; a period without spend still gets an axis, up to one cent. */
function highest(data: SpendData): number {
  const tops = data.overlapping
    ? data.buckets.flatMap((bucket) => bucket.cells.map((cell) => cell.cost))
    : data.buckets.map((bucket) => bucket.total.cost);
  const top = Math.max(0, ...tops);
  return top === 0 ? 0.01 : top;
}
