import { Globe } from 'lucide-react';
import type { ReactNode } from 'react';
import type { AsOf } from '../api/totals.ts';
import { useSearchState } from '../search/use-search.ts';
import { allZones, browserZone, timeIn } from '../time/zone.ts';
import { Picker, type Option } from '../ui/picker.tsx';
import { RangePicker } from './range-picker.tsx';

type PageHeaderProps = {
  readonly title: ReactNode;
  /** Of when the figures are, or what the page is about. */
  readonly freshness: ReactNode;
  /** What the page is part of. */
  readonly above?: ReactNode;
  /** `whole`: the page's figures are of all time, so there is no period to choose. */
  readonly period?: 'chosen' | 'whole';
};

export function PageHeader({ title, freshness, above, period = 'chosen' }: PageHeaderProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
      <div className={`mr-auto min-w-0 ${period === 'whole' ? 'flex-1 basis-52' : ''}`}>
        {above}
        <h1 className="text-lg/6 font-semibold tracking-tight">{title}</h1>
        <div className="min-h-5 text-xs/5 text-ink-3">{freshness}</div>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        {period === 'chosen' && <RangePicker />}
        <ZonePicker />
      </div>
    </div>
  );
}

function ZonePicker() {
  const [search, change] = useSearchState();
  return (
    <Picker
      label="Time zone"
      value={search.tz}
      options={zoneOptions()}
      shown={
        <>
          <Globe aria-hidden className="size-3.5 text-ink-3" />
          <span className="truncate">{search.tz}</span>
        </>
      }
      onPick={(tz) => change({ tz })}
    />
  );
}

function zoneOptions(): readonly Option[] {
  const own = browserZone();
  const first = own === 'UTC' ? ['UTC'] : ['UTC', own];
  const rest = allZones().filter((zone) => !first.includes(zone));
  return [
    ...first.map((zone) => ({ value: zone, label: zone, ...(zone === own ? { detail: 'this browser' } : {}) })),
    ...rest.map((zone) => ({ value: zone, label: zone, group: 'All time zones' })),
  ];
}

type FreshnessProps = { readonly asOf: AsOf | undefined; readonly problem: Error | null; readonly tz: string };

/** Says how old the figures are; a refresh that failed is said too, as the figures on the page are then stale. */
export function Freshness({ asOf, problem, tz }: FreshnessProps) {
  const at = asOf?.at;
  return (
    <span className="inline-flex items-center gap-1.5 tabular-nums">
      <span aria-hidden className={`size-1.5 rounded-full ${problem === null ? 'bg-accent' : 'bg-bad'}`} />
      {problem !== null && <span className="text-bad">Not refreshing: {problem.message}</span>}
      {problem === null && typeof at === 'string' && <>Up to date as of {timeIn(tz, Date.parse(at))}</>}
    </span>
  );
}
