import type { SeriesKind } from './spend-data.ts';

type SwatchProps = { readonly colour: string; readonly kind: SeriesKind };

/** The sign of a series. What carries no tag is hatched, so that it is told apart without its colour. */
export function Swatch({ colour, kind }: SwatchProps) {
  const hatched = `repeating-linear-gradient(135deg, ${colour} 0 1.5px, transparent 1.5px 3.5px)`;
  return (
    <span
      aria-hidden
      className="inline-block size-2.5 shrink-0 rounded-[3px]"
      style={
        kind === 'untagged' ? { background: hatched, boxShadow: `inset 0 0 0 1px ${colour}` } : { background: colour }
      }
    />
  );
}
