import { ALL_APIS, driveLoad, planCalls, type CallOutcome } from '#world';
import { bounded } from './bounded.ts';
import { RUN } from './run-plan.ts';
import type { Scene } from './scene.ts';

/** The official clients of all providers at work, half of their calls streams. */
export type ClientsUnderWay = {
  /** Resolves when that many more calls were answered whole. */
  answered(count: number): Promise<void>;
  /** Holds calls back that have not begun, until the promise resolves: nobody calls a gateway that is known to be down. */
  holdUntil(up: Promise<void>): void;
  stop(): Promise<readonly CallOutcome[]>;
};

const CONCURRENCY = 32;
const LONGEST_WAIT_MS = 120_000;
const ENDLESS = 100_000_000;
const BEHAVIOUR = { chunk_delay: 2, delay: 3 };

export function startClients({ gateway, key }: Pick<Scene, 'gateway' | 'key'>): ClientsUnderWay {
  let over = false;
  let up = Promise.resolve();
  let wanted = { left: 0, reached: (): void => undefined };
  function* endlessly() {
    for (const call of planCalls({ count: ENDLESS, seed: RUN.seed, behaviour: BEHAVIOUR, apis: ALL_APIS })) {
      if (over) return;
      yield call;
    }
  }
  const load = driveLoad({
    calls: endlessly(),
    concurrency: CONCURRENCY,
    target: async () => {
      await up;
      return { url: gateway.url, key };
    },
    onOutcome: ({ acknowledged }) => {
      if (!acknowledged) return;
      wanted.left -= 1;
      if (wanted.left === 0) wanted.reached();
    },
  });
  return {
    answered: (count) =>
      bounded(`${count} answers`, LONGEST_WAIT_MS, (resolve) => {
        wanted = { left: count, reached: resolve };
      }),
    holdUntil: (promise) => {
      up = promise;
    },
    stop: async () => {
      over = true;
      return load;
    },
  };
}
