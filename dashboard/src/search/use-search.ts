import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { parseSearch, type Search } from './search.ts';

const app = getRouteApi('/app');

/** Changes to the address. A change of filters or period starts again at the first page. */
export type ChangeSearch = (patch: Partial<Search>) => void;

export function useSearchState(): readonly [Search, ChangeSearch] {
  const search = app.useSearch();
  const navigate = useNavigate();
  const change = useCallback<ChangeSearch>(
    (patch) => {
      const page = 'page' in patch || 'call' in patch ? {} : { page: 1 };
      void navigate({
        to: '.',
        search: (previous: Record<string, unknown>) => ({ ...parseSearch(previous), ...page, ...patch }),
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}
