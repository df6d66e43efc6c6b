import { startGateway, type Gateway, type GatewayOptions } from './gateway-process.ts';
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

export type World = {
  /** The first of them. */
  readonly upstream: Upstream;
  readonly upstreams: readonly Upstream[];
  readonly gateway: Gateway;
  close(): Promise<void>;
};

export type WorldOptions = Pick<UpstreamOptions, 'models'> &
  Pick<GatewayOptions, 'env' | 'providers'> & {
    /** How many upstreams there are; one when not said. The environment names the first, a configuration any. */
    readonly count?: number;
    /** A configuration file that may name the upstreams, for instance as several providers. */
    readonly config?: (...upstreams: Upstream[]) => Readonly<Record<string, unknown>>;
  };

/** Upstreams of this process and a gateway before them. A gateway that does not start leaves nothing running. */
export async function startWorld({ models = {}, count = 1, config, ...given }: WorldOptions = {}): Promise<World> {
  const upstream = await startUpstream({ models });
  const upstreams = [upstream];
  for (let number = 1; number < count; number += 1) upstreams.push(await startUpstream({ models }));
  const closeAll = async (): Promise<void> => {
    for (const one of upstreams) await one.close();
  };
  try {
    const file = config === undefined ? {} : { config: config(...upstreams) };
    const gateway = await startGateway({ upstream, ...given, ...file });
    const close = async (): Promise<void> => {
      await gateway.close();
      await closeAll();
    };
    return { upstream, upstreams, gateway, close };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
