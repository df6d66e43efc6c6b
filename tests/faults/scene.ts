import type { TestContext } from 'node:test';
import {
  ALL_PROVIDERS,
  seededRandom,
  startGateway,
  startUpstreamProcess,
  type Gateway,
  type GatewayOptions,
  type Random,
  type Upstream,
} from '#world';
import { untilCaughtUp } from './catching-up.ts';
import { MemoryWatch } from './memory.ts';
import { thawLedger } from './processes.ts';
import { RUN } from './run-plan.ts';
import { startSteadyCalls, type SteadyCalls } from './steady-calls.ts';

/** A gateway in processes of its own before an upstream that keeps its own bill, and somebody who watches. */
export type Scene = {
  readonly upstream: Upstream;
  readonly gateway: Gateway;
  readonly key: string;
  readonly memory: MemoryWatch;
  readonly random: Random;
  /** Calls at an even pace, until they are stopped. */
  steady(perSecond: number): SteadyCalls;
};

export type SceneOptions = Pick<GatewayOptions, 'env' | 'config' | 'dataDir'> & {
  /** Run when the gateway has ended, whatever became of the scenario. */
  readonly leave?: () => Promise<void>;
};

export async function openScene(t: TestContext, { leave, ...options }: SceneOptions = {}): Promise<Scene> {
  const { seed } = RUN;
  t.diagnostic(`seed ${seed}: npm run test:fault -- --seed ${seed}`);
  const closers: (() => unknown)[] = leave === undefined ? [] : [leave];
  t.after(async () => {
    for (const close of closers.toReversed()) await close();
  });
  const upstream = await startUpstreamProcess();
  closers.push(() => upstream.close());
  const gateway = await startGateway({ upstream, providers: ALL_PROVIDERS, ...options });
  // A scenario that failed may have left a process frozen, and callers calling.
  closers.push(
    () => gateway.close(),
    () => thawLedger(gateway),
  );
  // Calls do not wait for the ledger process; the scenarios do, so that each strikes a whole server.
  await untilCaughtUp(gateway);
  const memory = new MemoryWatch(gateway);
  closers.push(() => memory.close());
  const random = seededRandom(seed);
  const key = gateway.adminKey;
  const steady = (perSecond: number): SteadyCalls => {
    const calls = startSteadyCalls({ url: gateway.url, key, perSecond, seed: random.between(1, 1_000_000) });
    closers.push(() => calls.abandon());
    return calls;
  };
  return { upstream, gateway, key, memory, random, steady };
}
