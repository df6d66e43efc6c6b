import type { Series } from './spend-data.ts';
import { Swatch } from './swatch.tsx';

export function Legend({ series }: { readonly series: readonly Series[] }) {
  return (
    <ul aria-label="Legend" className="flex flex-wrap gap-x-4 gap-y-1 px-4 pb-3 text-xs text-ink-2">
      {series.map((each) => (
        <li key={each.value} className="inline-flex max-w-56 items-center gap-1.5">
          <Swatch colour={each.colour} kind={each.kind} />
          <span className="truncate" title={each.value}>
            {each.value}
          </span>
        </li>
      ))}
    </ul>
  );
}
