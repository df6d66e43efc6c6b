import { Pool } from 'undici';
import type { ProviderConfig } from '#config';

/** One configured provider, ready to be called. */
export type Upstream = {
  readonly name: string;
  /** The provider whose price rows apply. */
  readonly priceAs: string;
  readonly onDisconnect: 'drain' | 'abort';
  readonly pool: Pool;
  /** The base URL's path, without a slash at the end. */
  readonly basePath: string;
  /** Sent with every request: credentials and what the operator adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** Only these models, or null for whatever the provider serves. */
  readonly only: ReadonlySet<string> | null;
  /** Models that are listed and found by their bare name. */
  readonly listed: ReadonlySet<string>;
};

export type Choice = { readonly upstream: Upstream; readonly model: string };

export type UpstreamOptions = {
  readonly providers: readonly ProviderConfig[];
  /** The built-in sandbox's Unix socket; null when it is off. */
  readonly sandboxSocket: string | null;
  /** Models that have a price, by provider. */
  readonly pricedModels: (provider: string) => readonly string[];
  readonly timeouts: { readonly connectMs: number; readonly firstByteMs: number; readonly idleMs: number };
};

const SANDBOX = 'sandbox';

/** The configured providers in their stated order: file, environment, sandbox last. */
export class Upstreams {
  readonly #upstreams: readonly Upstream[];
  readonly #byName: ReadonlyMap<string, Upstream>;

  constructor(options: UpstreamOptions) {
    const upstreams = options.providers.map((provider) => openUpstream(provider, options));
    if (options.sandboxSocket !== null) upstreams.push(openSandbox(options.sandboxSocket, options));
    this.#upstreams = upstreams;
    this.#byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  }

  /**
   * A bare name goes to the first provider, in stated order, that lists it; a name nobody lists to the first provider
   * that is not held to a list. `provider/model` names the provider and passes the rest on as it is.
   */
  choose(model: string): Choice | undefined {
    for (const upstream of this.#upstreams) if (upstream.listed.has(model)) return { upstream, model };
    const slash = model.indexOf('/');
    if (slash > 0) {
      const upstream = this.#byName.get(model.slice(0, slash));
      const rest = model.slice(slash + 1);
      if (upstream !== undefined) return rest !== '' && serves(upstream, rest) ? { upstream, model: rest } : undefined;
    }
    const open = this.#upstreams.find((upstream) => upstream.only === null);
    return open === undefined ? undefined : { upstream: open, model };
  }

  list(): { readonly id: string; readonly provider: string }[] {
    const seen = new Set<string>();
    const models: { id: string; provider: string }[] = [];
    for (const upstream of this.#upstreams) {
      for (const model of upstream.listed) {
        // The bare name belongs to the first provider that lists it; a later one is reached by its prefix.
        models.push({ id: seen.has(model) ? `${upstream.name}/${model}` : model, provider: upstream.name });
        seen.add(model);
      }
    }
    return models;
  }

  names(): string[] {
    return this.#upstreams.map((upstream) => upstream.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => upstream.pool.destroy()));
  }
}

function serves(upstream: Upstream, model: string): boolean {
  return upstream.only === null || upstream.only.has(model);
}

function openUpstream(provider: ProviderConfig, options: UpstreamOptions): Upstream {
  const url = new URL(provider.baseUrl);
  const only = provider.models === null ? null : new Set(provider.models);
  return {
    name: provider.name,
    priceAs: provider.priceAs,
    onDisconnect: provider.onDisconnect,
    pool: openPool(url.origin, options, {}),
    basePath: url.pathname.replace(/\/+$/, ''),
    headers:
      provider.apiKey === null ? provider.headers : { authorization: `Bearer ${provider.apiKey}`, ...provider.headers },
    only,
    listed: only ?? new Set(options.pricedModels(provider.priceAs)),
  };
}

function openSandbox(socketPath: string, options: UpstreamOptions): Upstream {
  const models = new Set(options.pricedModels(SANDBOX));
  return {
    name: SANDBOX,
    priceAs: SANDBOX,
    onDisconnect: 'drain',
    pool: openPool('http://sandbox', options, { socketPath }),
    basePath: '/v1',
    headers: {},
    only: models,
    listed: models,
  };
}

function openPool(origin: string, options: UpstreamOptions, connect: { socketPath?: string }): Pool {
  return new Pool(origin, {
    // A POST is never repeated on a socket: one connection carries one call at a time.
    pipelining: 1,
    headersTimeout: options.timeouts.firstByteMs,
    bodyTimeout: options.timeouts.idleMs,
    connect: { timeout: options.timeouts.connectMs, noDelay: true, ...connect },
  });
}
