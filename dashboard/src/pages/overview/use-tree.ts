import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { costsQuery } from '../../api/analytics.ts';
import type { CostRow } from '../../api/totals.ts';
import { belowNode } from '../../search/group-by.ts';
import type { Search } from '../../search/search.ts';

export type TreeState = {
  readonly isOpen: (node: string) => boolean;
  readonly toggle: (node: string) => void;
  /** The rows below a node that is open, `(direct)` among them; undefined until they are here. */
  readonly below: (node: string) => readonly CostRow[] | undefined;
};

/** The nodes that are open, each read when it is opened. Another breakdown is another tree, closed. */
export function useTree(search: Search): TreeState {
  const [opened, setOpened] = useState<{ readonly by: string; readonly nodes: readonly string[] }>({
    by: search.by,
    nodes: [],
  });
  const nodes = opened.by === search.by ? opened.nodes : [];
  const found = useQueries({ queries: nodes.map((node) => costsQuery({ ...search, by: belowNode(search.by, node) })) });
  const rows = new Map(nodes.map((node, at) => [node, found[at]?.data?.data.filter(isBelow)]));
  return {
    isOpen: (node) => nodes.includes(node),
    toggle: (node) =>
      setOpened({
        by: search.by,
        nodes: nodes.includes(node) ? nodes.filter((each) => each !== node) : [...nodes, node],
      }),
    below: (node) => rows.get(node),
  };
}

/** What is elsewhere has rows of its own already. */
function isBelow(row: CostRow): boolean {
  return !row.untagged && !row.other;
}
