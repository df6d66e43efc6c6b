/* oxlint-disable jsx-a11y/prefer-tag-over-role, jsx-a11y/interactive-supports-focus, jsx-a11y/click-events-have-key-events --
   a combobox keeps the focus in its field and names the active option by aria-activedescendant; no element does that */
import { Check, ChevronDown, Search as SearchIcon } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useId, useState, type KeyboardEvent, type ReactNode } from 'react';

export type Option = {
  readonly value: string;
  readonly label: string;
  readonly detail?: string;
  readonly group?: string;
};

type PickerProps = {
  readonly label: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly shown: ReactNode;
  readonly onPick: (value: string) => void;
};

/** One choice out of many: a button that opens a list one can type into. */
export function Picker({ label, value, options, shown, onPick }: PickerProps) {
  const [open, setOpen] = useState(false);
  const pick = (picked: string): void => {
    setOpen(false);
    onPick(picked);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label={label}
        className="inline-flex h-8 max-w-64 items-center gap-1.5 rounded-md border border-line-strong bg-surface px-2.5 text-[13px] font-medium whitespace-nowrap shadow-card transition-colors hover:bg-hover"
      >
        {shown}
        <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          className="z-40 w-72 animate-[fade-in_80ms_ease-out] overflow-hidden rounded-lg bg-surface shadow-pop"
        >
          <PickerList label={label} value={value} options={options} onPick={pick} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type PickerListProps = Omit<PickerProps, 'shown'>;

function PickerList({ label, value, options, onPick }: PickerListProps) {
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const id = useId();
  const found = options.filter((option) => option.label.toLowerCase().includes(typed.trim().toLowerCase()));
  const at = Math.min(active, found.length - 1);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const chosen = found[at];
    if (step !== 0) setActive((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter' && chosen !== undefined) onPick(chosen.value);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-2 border-b border-line px-3">
        <SearchIcon aria-hidden className="size-3.5 text-ink-3" />
        <input
          role="combobox"
          aria-label={label}
          aria-expanded
          aria-controls={id}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          value={typed}
          placeholder="Search"
          onChange={(event) => {
            setTyped(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
          className="h-9 w-full bg-transparent text-[13px] outline-none placeholder:text-ink-3"
        />
      </div>
      <div id={id} role="listbox" aria-label={label} className="max-h-88 overflow-y-auto p-1">
        {found.length === 0 && <p className="px-2 py-3 text-[13px] text-ink-3">Nothing matches “{typed}”.</p>}
        {found.map((option, index) => (
          <PickerItem
            key={option.value}
            id={`${id}-${index}`}
            option={option}
            heading={option.group !== found[index - 1]?.group ? option.group : undefined}
            state={{ active: index === at, selected: option.value === value }}
            onPick={onPick}
          />
        ))}
      </div>
    </>
  );
}

type PickerItemProps = {
  readonly id: string;
  readonly option: Option;
  readonly heading: string | undefined;
  readonly state: { readonly active: boolean; readonly selected: boolean };
  readonly onPick: (value: string) => void;
};

function PickerItem({ id, option, heading, state, onPick }: PickerItemProps) {
  return (
    <>
      {heading !== undefined && (
        <div role="presentation" className="px-2 pt-2 pb-1 text-2xs font-medium text-ink-3">
          {heading}
        </div>
      )}
      <div
        id={id}
        role="option"
        aria-selected={state.selected}
        ref={(element) => {
          if (state.active) element?.scrollIntoView({ block: 'nearest' });
        }}
        onClick={() => onPick(option.value)}
        className={`flex h-8 cursor-pointer items-center gap-2 rounded px-2 text-[13px] ${state.active ? 'bg-sunken' : 'hover:bg-hover'}`}
      >
        <span className="min-w-0 flex-1 truncate">{option.label}</span>
        {option.detail !== undefined && <span className="text-xs text-ink-3 tabular-nums">{option.detail}</span>}
        <Check aria-hidden className={`size-3.5 shrink-0 text-accent ${state.selected ? '' : 'invisible'}`} />
      </div>
    </>
  );
}
