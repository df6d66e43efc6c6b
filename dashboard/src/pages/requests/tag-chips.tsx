import type { MouseEvent } from 'react';
import type { CallEvent } from '../../api/events.ts';
import { withTags } from '../../search/filters.ts';
import { escapeKeyValue, escapeTag } from '../../search/tag-list.ts';
import { useSearchState } from '../../search/use-search.ts';

const SHOWN = 4;

type Chip = { readonly key: string; readonly value: string; readonly filter: string };

const CHIP = 'inline-flex h-5 max-w-52 min-w-0 items-center rounded border border-line bg-sunken px-1.5 text-xs';

type Tagged = Pick<CallEvent, 'tags' | 'labels' | 'paths' | 'entity_type' | 'entity_id'>;

type TagChipsProps = {
  readonly event: Tagged;
  /** `filters`: a click on a chip shows only the calls that carry it. On a small screen a tap is meant for the row. */
  readonly chips: 'filters' | 'plain';
  /** What is said where there is nothing to show. */
  readonly none?: string;
};

/** What the call is attributed to. */
export function TagChips({ event, chips: look, none = 'untagged' }: TagChipsProps) {
  const chips = chipsOf(event);
  const hidden = chips.slice(SHOWN);
  // A call for an entity is attributed, by the column beside this one.
  if (chips.length === 0 && Object.keys(event.tags).length > 0) return <span className="text-ink-3">–</span>;
  if (chips.length === 0) return <span className="text-ink-3 italic">{none}</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {chips.slice(0, SHOWN).map((chip) =>
        look === 'filters' ? (
          <FilterChip key={chip.filter} chip={chip} />
        ) : (
          <span key={chip.filter} className={CHIP}>
            <ChipText chip={chip} />
          </span>
        ),
      )}
      {hidden.length > 0 && (
        <span
          title={hidden.map((chip) => chip.key + chip.value).join('\n')}
          className="inline-flex h-5 items-center px-1 text-xs text-ink-3"
        >
          +{hidden.length}
        </span>
      )}
    </span>
  );
}

function FilterChip({ chip }: { readonly chip: Chip }) {
  const [search, change] = useSearchState();
  const narrow = (click: MouseEvent): void => {
    click.stopPropagation();
    change({ ...withTags(search, chip.filter), call: '', page: 1 });
  };
  return (
    <button
      type="button"
      aria-label={`Filter by ${chip.key}${chip.value}`}
      title={`${chip.key}${chip.value}`}
      onClick={narrow}
      className={`${CHIP} hover:border-line-strong hover:bg-surface`}
    >
      <ChipText chip={chip} />
    </button>
  );
}

function ChipText({ chip }: { readonly chip: Chip }) {
  return (
    <span className="truncate">
      <span className="text-ink-3">{chip.key}</span>
      {chip.value}
    </span>
  );
}

/** The entity has a column of its own, so the tag that repeats it is left out. */
function chipsOf(event: Tagged): readonly Chip[] {
  const dimensions = Object.entries(event.tags)
    .filter(([key, value]) => key !== event.entity_type || value !== event.entity_id)
    .map(([key, value]) => ({ key: `${key}:`, value, filter: escapeKeyValue(key, value) }));
  const valueless = [...event.paths, ...event.labels].map((tag) => ({ key: '', value: tag, filter: escapeTag(tag) }));
  return [...valueless, ...dimensions];
}
