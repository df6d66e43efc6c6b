import { ListTree, Rows3 } from 'lucide-react';
import type { CostRow } from '../../api/totals.ts';
import { asTagList, asTagTree, isTagTree, tagKeyOf } from '../../search/group-by.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Button } from '../../ui/button.tsx';

/** Values such as `eng/search` can be read as paths; the switch stands only where there are some. */
export function TreeSwitch({ rows }: { readonly rows: readonly CostRow[] }) {
  const [search, change] = useSearchState();
  const key = tagKeyOf(search.by);
  if (key === undefined) return null;
  if (isTagTree(search.by)) {
    return (
      <Button look="quiet" onClick={() => change({ by: asTagList(key) })}>
        <Rows3 aria-hidden className="size-3.5" />
        Show as list
      </Button>
    );
  }
  if (!rows.some((row) => !row.untagged && row.value.includes('/'))) return null;
  return (
    <Button look="quiet" onClick={() => change({ by: asTagTree(key) })}>
      <ListTree aria-hidden className="size-3.5" />
      Show as tree
    </Button>
  );
}
