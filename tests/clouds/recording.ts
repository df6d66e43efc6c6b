import { recorded, type Recorded } from '../journeys/record.ts';
import type { Gateway } from '#world';

export type Written<T> = { readonly answer: T; readonly entries: readonly Recorded[] };

/** What a call answered, and the entries that it left. */
export async function written<T>(gateway: Gateway, run: () => Promise<T>): Promise<Written<T>> {
  const earlier = recorded(gateway.dataDir).length;
  const answer = await run();
  return { answer, entries: recorded(gateway.dataDir).slice(earlier) };
}

/** The error of a call that must fail. */
export async function failing(run: () => Promise<unknown>): Promise<unknown> {
  return run().then(
    () => null,
    (error: unknown) => error,
  );
}
