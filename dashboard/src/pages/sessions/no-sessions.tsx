import { useSearchState } from '../../search/use-search.ts';
import { describeRange } from '../../time/period.ts';

/** Calls there may be, but none says which conversation it is part of. */
export function NoSessions() {
  const [search] = useSearchState();
  return (
    <div className="rounded-lg border border-dashed border-line-strong px-6 py-16 text-center">
      <p className="font-medium">No sessions in this period</p>
      <p className="mx-auto mt-1 max-w-prose text-ink-2">
        A session is made of calls that share a session id. None of {describeRange(search)} ({search.tz}) carries one.
        Send it in the body, or as a header:
      </p>
      <pre className="mx-auto mt-4 inline-block max-w-full overflow-x-auto rounded-md bg-sunken p-3 text-left font-mono text-xs/5">
        {`"session_id": "chat-1042"\n\nx-apportion-session: chat-1042\nx-apportion-session-path: plan/search`}
      </pre>
    </div>
  );
}
