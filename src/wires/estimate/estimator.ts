import { Worker } from 'node:worker_threads';
import type { Usage } from '#terms';

type EstimateText = {
  readonly input: string;
  readonly output: string;
  /** Characters of output that were delivered but not kept. */
  readonly extraOutputChars: number;
};

/** Usage for an attempt whose provider did not report any. */
export type Estimator = {
  /** Never rejects: where tokens cannot be counted, characters are. */
  estimate(text: EstimateText): Promise<Usage>;
  close(): Promise<void>;
};

export type CountRequest = { readonly id: number; readonly input: string; readonly output: string };

export type CountResult = { readonly id: number; readonly input: number; readonly output: number };

type Counts = { readonly input: number; readonly output: number };

type Waiting = {
  readonly text: EstimateText;
  readonly settle: (counts: Counts) => void;
  readonly timer: NodeJS.Timeout;
};

/** English prose has about four characters per token; used when the tokenizer does not answer. */
const CHARS_PER_TOKEN = 4;

const WAITING_MAX = 1_000;
const TIMEOUT_MS = 30_000;

/** Counts in a worker thread that starts with the first estimate: an estimate must not hold up other calls. */
export function createEstimator(): Estimator {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let nextId = 0;

  const settle = (id: number, counts: Counts | null): void => {
    const one = waiting.get(id);
    if (one === undefined) return;
    waiting.delete(id);
    clearTimeout(one.timer);
    one.settle(counts ?? countByChars(one.text));
    if (waiting.size === 0) worker?.unref();
  };

  const start = (): Worker => {
    const started = new Worker(new URL('./worker.ts', import.meta.url));
    const stopped = (): void => {
      if (worker === started) worker = null;
      for (const id of waiting.keys()) settle(id, null);
    };
    started.on('message', ({ id, input, output }: CountResult) => settle(id, { input, output }));
    // A worker that fails ends; those who wait get the count by characters, and the next estimate starts another.
    started.on('error', stopped);
    started.on('exit', stopped);
    return started;
  };

  const count = (text: EstimateText): Promise<Counts> => {
    if (waiting.size >= WAITING_MAX) return Promise.resolve(countByChars(text));
    const id = nextId++;
    return new Promise<Counts>((resolve) => {
      const timer = setTimeout(() => settle(id, null), TIMEOUT_MS);
      waiting.set(id, { text, settle: resolve, timer });
      worker ??= start();
      worker.ref();
      const request: CountRequest = { id, input: text.input, output: text.output };
      worker.postMessage(request, []);
    });
  };

  return {
    estimate: async (text) => toUsage(text, await count(text)),
    close: async () => {
      await worker?.terminate();
    },
  };
}

function toUsage(text: EstimateText, counts: Counts): Usage {
  const tokensPerChar = text.output.length === 0 ? 1 / CHARS_PER_TOKEN : counts.output / text.output.length;
  const extra = Math.ceil(text.extraOutputChars * tokensPerChar);
  return { meters: { input: counts.input, output_text: counts.output + extra }, origin: 'estimated', raw: '' };
}

function countByChars({ input, output }: EstimateText): Counts {
  return { input: Math.ceil(input.length / CHARS_PER_TOKEN), output: Math.ceil(output.length / CHARS_PER_TOKEN) };
}
