import { ListFilter, X } from 'lucide-react';
import { useId, useState, type FormEvent } from 'react';
import { filtersOf, NO_FILTERS, withTags, type Filter } from '../search/filters.ts';
import { useSearchState } from '../search/use-search.ts';
import { Button } from '../ui/button.tsx';

type FilterBarProps = { readonly tagKeys: readonly string[] };

/** The page's conditions as chips, and the one field that adds to them. */
export function FilterBar({ tagKeys }: FilterBarProps) {
  const [search, change] = useSearchState();
  const filters = filtersOf(search);
  return (
    <section aria-label="Filters" className="flex flex-wrap items-center gap-2">
      <AddFilter tagKeys={tagKeys} onAdd={(typed) => change(withTags(search, typed))} />
      {filters.length > 0 && (
        <>
          <span className="text-xs font-medium text-ink-2">
            {filters.length === 1 ? '1 filter' : `${filters.length} filters`}
          </span>
          <ul className="contents">
            {filters.map((filter) => (
              <FilterChip
                key={`${filter.field} ${filter.value}`}
                filter={filter}
                onRemove={() => change(filter.without)}
              />
            ))}
          </ul>
          {filters.length > 1 && (
            <Button look="quiet" className="h-7 px-2 text-xs" onClick={() => change(NO_FILTERS)}>
              Clear all
            </Button>
          )}
        </>
      )}
    </section>
  );
}

type AddFilterProps = { readonly tagKeys: readonly string[]; readonly onAdd: (typed: string) => void };

function AddFilter({ tagKeys, onAdd }: AddFilterProps) {
  const [typed, setTyped] = useState('');
  const listId = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed.trim() === '') return;
    onAdd(typed);
    setTyped('');
  };
  return (
    <form onSubmit={submit} className="relative w-full sm:w-88">
      <ListFilter aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-ink-3" />
      <input
        aria-label="Add a filter by tag"
        list={listId}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        placeholder="Filter: env:production, beta, customer/acme"
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="done"
        className="h-8 w-full rounded-md border border-line-strong bg-surface pr-2 pl-8 text-[13px] shadow-card placeholder:text-ink-3"
      />
      <datalist id={listId}>
        {tagKeys.map((key) => (
          <option key={key} value={`${key}:`}>
            {key}
          </option>
        ))}
      </datalist>
    </form>
  );
}

type FilterChipProps = { readonly filter: Filter; readonly onRemove: () => void };

function FilterChip({ filter, onRemove }: FilterChipProps) {
  const words = `${filter.field} ${filter.operator} ${filter.value}`;
  return (
    <li className="inline-flex h-7 max-w-full items-center overflow-hidden rounded-md border border-line-strong bg-surface text-xs shadow-card">
      <span className="pl-2 text-ink-2">{filter.field}</span>
      <span className="px-1.5 text-ink-3">{filter.operator}</span>
      <span className="truncate font-medium">{filter.value}</span>
      <button
        type="button"
        aria-label={`Remove filter: ${words}`}
        onClick={onRemove}
        className="ml-1 grid h-full w-6 shrink-0 place-items-center text-ink-3 hover:bg-sunken hover:text-ink focus-visible:-outline-offset-2"
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </li>
  );
}
