import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { newestEventQuery, type CallEvent } from '../../api/events.ts';

const POLL_MS = 2000;
const SHOWN_MS = 4000;

/** `none`: the ledger is not empty, or nobody asked. `arrived`: the call that was waited for is here, and on show. */
export type FirstCallState =
  | { readonly state: 'none' | 'asking' | 'waiting' }
  | { readonly state: 'arrived'; readonly event: CallEvent };

/** Watches an empty ledger for its first call. @param enabled whether the page has nothing to show */
export function useFirstCall(enabled: boolean): FirstCallState & { readonly leave: () => void } {
  const queryClient = useQueryClient();
  const [waited, setWaited] = useState(false);
  const newest = useQuery({ ...newestEventQuery(POLL_MS), enabled: enabled || waited });
  const event = newest.data?.data[0];
  const empty = enabled && newest.data !== undefined && event === undefined;
  const leave = useCallback((): void => {
    // Figures first: the page behind would else say for a moment that there are no calls.
    void queryClient.invalidateQueries().then(() => setWaited(false));
  }, [queryClient]);
  if (empty && !waited) setWaited(true);
  const arrived = waited && event !== undefined;
  useEffect(() => {
    if (!arrived) return undefined;
    const timer = window.setTimeout(leave, SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [arrived, leave]);
  if (arrived) return { state: 'arrived', event, leave };
  if (waited || empty) return { state: 'waiting', leave };
  return { state: enabled && newest.isPending ? 'asking' : 'none', leave };
}
