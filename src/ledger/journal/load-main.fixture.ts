import { systemClock } from '#std';
import { ApportionError } from '#terms';
import { openJournal } from './journal.ts';
import { NODE_ID, sampleEntry, sampleIntent } from './sample.fixture.ts';

/**
 * A process to be killed or to be given a bad disk: it settles attempts without end, holds one open, and tells its
 * parent of each answer it got.
 * Arguments: journal folder, a name for this run, bytes of a segment, how many attempts at once.
 */
export type LoadReport =
  | { readonly is: 'begun' | 'settled'; readonly attempt: string }
  | { readonly is: 'refused'; readonly code: string; readonly again: string; readonly state: string };

const [dir = '', run = '', segmentBytes = '', lanes = ''] = process.argv.slice(2);

function tell(report: LoadReport): void {
  process.send?.(report);
}

function codeOf(error: unknown): string {
  return error instanceof ApportionError ? error.code : String(error);
}

const journal = await openJournal({ dir, nodeId: NODE_ID, clock: systemClock, segmentBytes: Number(segmentBytes) });

/** An attempt that never ends, as a call does whose upstream never answers. */
async function hold(attempt: string): Promise<void> {
  await journal.begin(attempt, sampleIntent(attempt));
  tell({ is: 'begun', attempt });
}

async function lane(number: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const attempt = `${run}_${number}_${n}`;
    await journal.begin(attempt, sampleIntent(attempt));
    tell({ is: 'begun', attempt });
    await journal.settle(attempt, sampleEntry(attempt));
    tell({ is: 'settled', attempt });
  }
}

try {
  await hold(`${run}_held`);
  await Promise.all(Array.from({ length: Number(lanes) }, (_, index) => lane(index)));
} catch (error) {
  const again = await journal.begin('later', sampleIntent('later')).catch(codeOf);
  const refused: LoadReport = { is: 'refused', code: codeOf(error), again: String(again), state: journal.state() };
  // Disconnecting drops what is still on its way.
  await new Promise((resolve) => {
    process.send?.(refused, resolve);
  });
  await journal.close();
  process.disconnect?.();
}
