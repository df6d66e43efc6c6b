import { startGateway, type Gateway, type GatewayOptions } from './gateway-process.ts';
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';

export type World = { readonly upstream: Upstream; readonly gateway: Gateway; close(): Promise<void> };

/** An upstream of this process and a gateway before it. A gateway that does not start leaves nothing running. */
export async function startWorld(
  options: Pick<UpstreamOptions, 'models'> & Pick<GatewayOptions, 'env' | 'config'> = {},
): Promise<World> {
  const { models = {}, ...rest } = options;
  const upstream = await startUpstream({ models });
  try {
    const gateway = await startGateway({ upstream, ...rest });
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
