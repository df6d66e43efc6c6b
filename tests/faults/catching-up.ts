import { until, type Gateway } from '#world';
import { whenStored } from '../journeys/record.ts';

const LONGEST_MS = 90_000;
const OUTPUT_SHOWN_CHARS = 3_000;

/** Waits until reports are served, after a fault that may have taken them away, and show everything the journal holds by now. */
export async function untilCaughtUp(gateway: Gateway): Promise<void> {
  let last: unknown;
  const ask = (): Promise<true | undefined> =>
    whenStored(gateway).then(
      () => true,
      (error: unknown) => {
        last = error;
        return undefined;
      },
    );
  await until('reports to catch up', LONGEST_MS, ask).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${String(last)}\n${gateway.output().slice(-OUTPUT_SHOWN_CHARS)}`);
  });
}
