import { startGateway, type Gateway, type GatewayOptions } from './gateway-process.ts';
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

export type World = { readonly upstream: Upstream; readonly gateway: Gateway; close(): Promise<void> };

export type WorldOptions = Pick<UpstreamOptions, 'models'> &
  Pick<GatewayOptions, 'env'> & {
    /** A configuration file that may name the upstream, for instance as several providers. */
    readonly config?: (upstream: Upstream) => Readonly<Record<string, unknown>>;
  };

/** An upstream of this process and a gateway before it. A gateway that does not start leaves nothing running. */
export async function startWorld({ models = {}, env = {}, config }: WorldOptions = {}): Promise<World> {
  const upstream = await startUpstream({ models });
  try {
    const gateway = await startGateway({
      upstream,
      env,
      ...(config === undefined ? {} : { config: config(upstream) }),
    });
    const close = async (): Promise<void> => {
      await gateway.close();
      await upstream.close();
    };
    return { upstream, gateway, close };
  } catch (error) {
    await upstream.close();
    throw error;
  }
}
