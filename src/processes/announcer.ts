export type Announcer = {
  /** There is a reason to say it. */
  soon(): void;
  /** Says it without waiting for anything. */
  now(): void;
  /** Says it to a listener who has heard nothing yet. */
  anew(): void;
};

/** Under load the journal syncs a thousand times a second; a message for each would cost both processes more than shipping does. */
const ANNOUNCE_MS = 20;

/**
 * Says the same thing at most so often, however often there is a reason to, and not again before it was taken: what is said to a process that
 * stands still waits in memory.
 * @param say calls back once it is taken
 */
export function createAnnouncer(say: (taken: () => void) => void, everyMs = ANNOUNCE_MS): Announcer {
  let timer: NodeJS.Timeout | undefined;
  let waiting = false;
  let again = false;
  let listener = 0;
  const now = (): void => {
    clearTimeout(timer);
    timer = undefined;
    waiting = true;
    again = false;
    const told = listener;
    say(() => {
      if (told !== listener) return;
      waiting = false;
      if (again) soon();
    });
  };
  const soon = (): void => {
    if (waiting) again = true;
    else timer ??= setTimeout(now, everyMs);
  };
  return {
    now,
    soon,
    anew: () => {
      listener += 1;
      now();
    },
  };
}
