import type { OpenBatch } from '#batches';
import type { Flow } from '../forward.ts';
import { NO_BATCH_WORK, type BatchCallDeps, type BatchWork } from './batch-work.ts';
import { MeteredFlow } from './metered-flow.ts';

type Results = { readonly batch: OpenBatch; readonly file: string };

/** Results on their way to a caller: each line is metered as it passes, and the end is released when all are recorded. */
export async function meterResults({ batches }: BatchCallDeps, { batch, file }: Results): Promise<BatchWork> {
  const { book, collector } = batches;
  // Only of a batch that is over are the results all there.
  if (batch.status?.over !== true) await collector.look(batch);
  const metered = new MeteredFlow(await book.reader(batch, file));
  let flow: Flow | null = null;
  return {
    ...NO_BATCH_WORK,
    passes: true,
    follow(opened) {
      flow = opened;
    },
    passed(chunk) {
      if (flow !== null) metered.push(chunk, flow);
    },
    answered: ({ httpStatus, end }) =>
      metered.close(httpStatus >= 200 && httpStatus < 300 && end.kind === 'complete' ? 'whole' : 'cut'),
  };
}
