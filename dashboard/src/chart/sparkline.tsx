import { area, curveMonotoneX, line } from 'd3-shape';

const WIDTH = 120;
const HEIGHT = 24;

/** The course of a figure over the period, without axes; the figures themselves are in the chart and its table. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const top = Math.max(...values, 0);
  if (values.length < 2 || top === 0) return <div className="h-6" />;
  const x = (_: number, index: number): number => (index / (values.length - 1)) * WIDTH;
  const y = (value: number): number => HEIGHT - 1 - (value / top) * (HEIGHT - 3);
  const shape = area<number>().x(x).y0(HEIGHT).y1(y).curve(curveMonotoneX)(values.slice());
  const edge = line<number>().x(x).y(y).curve(curveMonotoneX)(values.slice());
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-6 w-full text-accent">
      <path d={shape ?? ''} fill="currentColor" opacity={0.1} />
      <path d={edge ?? ''} fill="none" stroke="currentColor" strokeWidth={1.25} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
