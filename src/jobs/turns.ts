/** Runs work when everything before it has ended. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** One after another: two jobs that look at the same entry would both correct it. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
}
