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
import { makeKey } from '../journeys/record.ts';
import { MemoryWatch } from './memory.ts';
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
  t.after(() => gateway.close());
  const memory = new MemoryWatch(gateway);
  t.after(() => memory.close());
  const { key } = await makeKey(gateway, { key_alias: 'load' });
  return {
    upstream,
    gateway,
    key,
    memory,
    random: seededRandom(seed),
    steady: (perSecond) => startSteadyCalls({ url: () => gateway.url, key, perSecond, seed }),
  };
}
