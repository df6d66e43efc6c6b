import type { CallEvent } from '../../api/events.ts';
import { withTags } from '../../search/filters.ts';
import { escapeKeyValue, escapeTag } from '../../search/tag-list.ts';
import { useSearchState } from '../../search/use-search.ts';

const SHOWN = 4;

type Chip = { readonly key: string; readonly value: string; readonly filter: string };

/** What the call is attributed to. A click on a chip shows only the calls that carry it. */
export function TagChips({ event }: { readonly event: CallEvent }) {
  const [search, change] = useSearchState();
  const chips = chipsOf(event);
  const hidden = chips.slice(SHOWN);
  if (chips.length === 0) return <span className="text-ink-3 italic">untagged</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {chips.slice(0, SHOWN).map((chip) => (
        <button
          key={chip.filter}
          type="button"
          aria-label={`Filter by ${chip.key}${chip.value}`}
          title={`${chip.key}${chip.value}`}
          onClick={(click) => {
            click.stopPropagation();
            change({ ...withTags(search, chip.filter), call: '', page: 1 });
          }}
          className="inline-flex h-5 max-w-52 min-w-0 items-center rounded border border-line bg-sunken px-1.5 text-xs hover:border-line-strong hover:bg-surface"
        >
          <span className="truncate">
            <span className="text-ink-3">{chip.key}</span>
            {chip.value}
          </span>
        </button>
      ))}
      {hidden.length > 0 && (
        <span title={hidden.map((chip) => chip.key + chip.value).join('\n')} className="inline-flex h-5 items-center px-1 text-xs text-ink-3">
          +{hidden.length}
        </span>
      )}
    </span>
  );
}

/** The entity has a column of its own, so the tag that repeats it is left out. */
function chipsOf(event: CallEvent): readonly Chip[] {
  const dimensions = Object.entries(event.tags)
    .filter(([key, value]) => key !== event.entity_type || value !== event.entity_id)
    .map(([key, value]) => ({ key: `${key}:`, value, filter: escapeKeyValue(key, value) }));
  const valueless = [...event.paths, ...event.labels].map((tag) => ({ key: '', value: tag, filter: escapeTag(tag) }));
  return [...valueless, ...dimensions];
}
