import { useQuery } from '@tanstack/react-query';
import { ChevronDown, ChevronUp, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { eventQuery } from '../../api/events.ts';
import { useSearchState } from '../../search/use-search.ts';
import { IconButton } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { CallFigures } from './call-figures.tsx';

/** One call with every line of its cost. Its id is in the address, so it can be sent to someone. */
export function CallDrawer({ around }: { readonly around: readonly string[] }) {
  const [search, change] = useSearchState();
  const { call } = search;
  const at = around.indexOf(call);
  const newer = around[at - 1];
  const older = at < 0 ? undefined : around[at + 1];
  return (
    <Dialog.Root open={call !== ''} onOpenChange={(open) => open || change({ call: '' })}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-30 animate-[fade-in_120ms_ease-out] bg-black/25 dark:bg-black/55" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 right-0 z-30 flex w-full max-w-[600px] animate-[slide-in_160ms_ease-out] flex-col bg-surface shadow-pop outline-none"
        >
          <div className="flex h-12 shrink-0 items-center gap-1 border-b border-line pr-2 pl-5">
            <Dialog.Title className="mr-auto text-[13px] font-semibold">Request</Dialog.Title>
            <IconButton
              aria-label="Newer request"
              disabled={newer === undefined}
              onClick={() => change({ call: newer ?? call })}
            >
              <ChevronUp aria-hidden className="size-4" />
            </IconButton>
            <IconButton
              aria-label="Older request"
              disabled={older === undefined}
              onClick={() => change({ call: older ?? call })}
            >
              <ChevronDown aria-hidden className="size-4" />
            </IconButton>
            <Dialog.Close asChild>
              <IconButton aria-label="Close">
                <X aria-hidden className="size-4" />
              </IconButton>
            </Dialog.Close>
          </div>
          <div className="flex-1 overflow-y-auto">{call !== '' && <CallBody id={call} tz={search.tz} />}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function CallBody({ id, tz }: { readonly id: string; readonly tz: string }) {
  const call = useQuery(eventQuery(id));
  if (call.error !== null) {
    return (
      <div className="p-5">
        <Problem title="This request could not be read" error={call.error} onRetry={() => void call.refetch()} />
      </div>
    );
  }
  if (call.data === undefined) {
    return (
      <div aria-busy="true" aria-label="Loading the request" className="space-y-4 p-5">
        <Skeleton className="h-7 w-40" />
        <Skeleton className="h-36 w-full" />
        <Skeleton className="h-52 w-full" />
      </div>
    );
  }
  return <CallFigures call={call.data} tz={tz} />;
}
