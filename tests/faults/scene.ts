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

export type SceneOptions = Pick<GatewayOptions, 'env' | 'dataDir'>;

export async function openScene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const { seed } = RUN;
  t.diagnostic(`seed ${seed}: npm run test:fault -- --seed ${seed}`);
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, providers: ALL_PROVIDERS, ...options });
  const memory = new MemoryWatch(gateway);
  const load: SteadyCalls[] = [];
  t.after(async () => {
    memory.close();
    // A scenario that failed may have left its process frozen and its callers calling.
    await thawLedger(gateway);
    for (const calls of load) calls.abandon();
    await gateway.close();
  });
  const key = gateway.adminKey;
  const random = seededRandom(seed);
  return {
    upstream,
    gateway,
    key,
    memory,
    random,
    steady: (perSecond) => {
      const calls = startSteadyCalls({ url: gateway.url, key, perSecond, seed: random.between(1, 1_000_000) });
      load.push(calls);
      return calls;
    },
  };
}
