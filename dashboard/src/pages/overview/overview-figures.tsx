import type { Costs, Timeseries } from '../../api/analytics.ts';
import type { Dimensions } from '../../api/dimensions.ts';
import { SpendChart } from '../../chart/spend-chart.tsx';
import { spendData } from '../../chart/spend-data.ts';
import { Legend } from '../../chart/legend.tsx';
import { useSearchState } from '../../search/use-search.ts';
import { describeRange } from '../../time/period.ts';
import { Picker } from '../../ui/picker.tsx';
import { BreakdownTable } from './breakdown-table.tsx';
import { dimensionLabel, dimensionOptions, dimensionWord, pickedDimension } from './dimension-options.ts';
import { KeyFigures } from './key-figures.tsx';
import { Notices } from './notices.tsx';
import { NothingFound } from './nothing-found.tsx';
import { TreeSwitch } from './tree-switch.tsx';

type OverviewFiguresProps = {
  readonly costs: Costs;
  readonly whole: Timeseries;
  readonly parts: Timeseries;
  readonly dimensions: Dimensions | undefined;
};

export function OverviewFigures({ costs, whole, parts, dimensions }: OverviewFiguresProps) {
  const [search, change] = useSearchState();
  const data = spendData(whole, parts);
  const label = dimensionLabel(search.by);
  const word = dimensionWord(search.by);
  if (costs.summary.total_events === 0 && costs.data.length === 0) return <NothingFound />;
  return (
    <>
      <KeyFigures costs={costs} whole={whole} dimension={word} />
      <Notices summary={costs.summary} />
      <section aria-labelledby="spend-heading" className="rounded-lg border border-line bg-surface shadow-card">
        <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-2">
          <h2 id="spend-heading" className="mr-auto text-[13px] font-semibold">
            Spend by {word}
            <span className="ml-2 font-normal text-ink-3">{describeRange(search)}</span>
          </h2>
          <TreeSwitch rows={costs.data} />
          <Picker
            label="Break down by"
            value={pickedDimension(search.by)}
            options={dimensionOptions(dimensions, pickedDimension(search.by))}
            shown={
              <>
                <span className="text-ink-3">by</span>
                <span className="truncate">{label}</span>
              </>
            }
            onPick={(by) => change({ by })}
          />
        </div>
        <div className="px-3 pb-1">
          <SpendChart data={data} zone={search.tz} label={`Spend over time by ${word}, ${describeRange(search)}`} />
        </div>
        <Legend series={data.series} />
        <BreakdownNote costs={costs} />
        <BreakdownTable costs={costs} series={data.series} dimension={label} />
      </section>
    </>
  );
}

/** Why rows may sum to something else than the total. */
function BreakdownNote({ costs: { data, overlapping } }: { readonly costs: Costs }) {
  const tree = data.some((row) => row.has_children === true);
  if (!tree && !overlapping) return null;
  return (
    <p className="border-t border-line px-4 py-2 text-xs text-ink-2">
      {tree && 'A row holds everything below it. '}
      {overlapping && 'A call may carry several of these, so the rows overlap. The total counts each call once.'}
    </p>
  );
}
