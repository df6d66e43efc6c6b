import { Calendar, Check, ChevronDown } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useSearchState } from '../search/use-search.ts';
import { nowMs } from '../time/clock.ts';
import { describeRange, periodOf, RANGE_LABELS, RANGES, type Range } from '../time/period.ts';
import { isDay } from '../time/zone.ts';
import { Button } from '../ui/button.tsx';

const PRESETS: readonly Range[] = RANGES.filter((range) => range !== 'custom');

export function RangePicker() {
  const [search, change] = useSearchState();
  const [open, setOpen] = useState(false);
  const choose = (patch: { range: Range; from: string; to: string }): void => {
    setOpen(false);
    change(patch);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label="Period"
        className="inline-flex h-8 items-center gap-1.5 rounded-md border border-line-strong bg-surface px-2.5 text-[13px] font-medium whitespace-nowrap shadow-card transition-colors hover:bg-hover"
      >
        <Calendar aria-hidden className="size-3.5 text-ink-3" />
        {describeRange(search)}
        <ChevronDown aria-hidden className="size-3.5 text-ink-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          className="z-40 w-64 animate-[fade-in_80ms_ease-out] rounded-lg bg-surface p-1 shadow-pop"
        >
          {PRESETS.map((range) => (
            <button
              key={range}
              type="button"
              aria-pressed={search.range === range}
              onClick={() => choose({ range, from: '', to: '' })}
              className="flex h-8 w-full items-center rounded px-2 text-left text-[13px] hover:bg-hover"
            >
              <span className="flex-1">{RANGE_LABELS[range]}</span>
              {search.range === range && <Check aria-hidden className="size-3.5 text-accent" />}
            </button>
          ))}
          <CustomRange
            initial={periodOf(search, nowMs())}
            onChoose={(from, to) => choose({ range: 'custom', from, to })}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type CustomRangeProps = {
  readonly initial: { readonly start: string; readonly end: string };
  readonly onChoose: (from: string, to: string) => void;
};

function CustomRange({ initial, onChoose }: CustomRangeProps) {
  const [from, setFrom] = useState(initial.start);
  const [to, setTo] = useState(initial.end);
  const valid = isDay(from) && isDay(to) && from <= to;
  return (
    <form
      className="mt-1 border-t border-line p-2 pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) onChoose(from, to);
      }}
    >
      <div className="grid grid-cols-2 gap-2">
        <DayField label="From" value={from} onChange={setFrom} />
        <DayField label="To" value={to} onChange={setTo} />
      </div>
      <Button type="submit" disabled={!valid} className="mt-2 w-full">
        Show this range
      </Button>
    </form>
  );
}

type DayFieldProps = { readonly label: string; readonly value: string; readonly onChange: (day: string) => void };

function DayField({ label, value, onChange }: DayFieldProps) {
  return (
    <label className="block text-xs text-ink-2">
      {label}
      <input
        type="date"
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="mt-1 h-8 w-full rounded-md border border-line-strong bg-surface px-1.5 text-xs text-ink"
      />
    </label>
  );
}
