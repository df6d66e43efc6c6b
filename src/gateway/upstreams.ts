import { Pool } from 'undici';
import type { Config, ProviderConfig } from '#config';
import { openSigner, type Signer } from '#providers';
import type { Clock } from '#std';
import { targetsOf, translated } from '#translate';
import { NO_QUIRKS, type Dialect, type Quirks, type Wire } from '#wires';

/** One configured provider, ready to be called. */
export type Upstream = {
  readonly name: string;
  /** The provider whose price rows apply. */
  readonly priceAs: string;
  readonly region: string;
  readonly dialects: readonly Dialect[];
  /** How it takes a wire; null where that is as the dialect says. */
  readonly wireFor: ProviderConfig['host'];
  readonly quirks: Quirks;
  readonly onDisconnect: 'drain' | 'abort';
  readonly drain: { readonly maxMs: number; readonly maxBytes: number };
  readonly timeouts: Pick<Config['timeouts'], 'firstByteMs' | 'totalMs'>;
  readonly pool: Pool;
  /** Of the address, with the port where it is not the usual one. */
  readonly host: string;
  /** Where web sockets are opened (`wss://api.openai.com`); null where there are none. */
  readonly socketOrigin: string | null;
  /** Signs each request in, where a key alone does not do. */
  readonly signer: Signer | null;
  /** The base URL's path, without a slash at the end. */
  readonly basePath: string;
  /** Sent with every request: credentials and what the operator adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** What its own names stand for: a deployment's name, and the model that the price list knows. */
  readonly deployments: ReadonlyMap<string, string>;
  /** Whether prices go by the name in the answer, or by what was asked for alone. */
  readonly pricedBy: 'answer' | 'request';
  /** Only these models, or null for whatever the provider serves. */
  readonly only: ReadonlySet<string> | null;
  /** Models that are listed and found by their bare name. */
  readonly listed: ReadonlySet<string>;
  /** Set once the server refused `stream_options`: it is not asked for usage again. */
  refusesUsageOption: boolean;
};

/** Where a call can go, and in which wire: the caller's own, or one whose far side is the provider's. */
export type Choice = { readonly upstream: Upstream; readonly model: string; readonly wire: Wire };

export type UpstreamOptions = {
  readonly providers: readonly ProviderConfig[];
  /** The built-in sandbox's Unix socket; null when it is off. */
  readonly sandboxSocket: string | null;
  readonly clock: Clock;
  /** Models that have a price, by provider. */
  readonly pricedModels: (provider: string) => readonly string[];
  readonly timeouts: Pick<Config['timeouts'], 'connectMs' | 'firstByteMs' | 'idleMs' | 'totalMs'>;
};

const SANDBOX = 'sandbox';

/** Small models for chats, which a first call is best made to. */
const FIRST_MODELS = [
  'sandbox-mini',
  'gpt-4o-mini',
  'claude-haiku-4-5',
  'gemini-2.5-flash',
  'mistral-small-latest',
  'grok-4-fast',
  'deepseek-chat',
  'llama-3.3-70b-versatile',
];

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
   * A name goes to the first provider, in stated order, whose settings list it; else `provider/model` names the provider
   * and passes the rest on as it is; else the first whose price list has the name; else the first that is not held to a
   * list. Those that speak the caller's dialect come before those that its calls are translated for.
   */
  choose(model: string, wire: Wire): Choice | undefined {
    const stated = this.#first(wire, model, ({ only }) => only?.has(model) === true);
    if (stated !== undefined) return stated;
    const slash = model.indexOf('/');
    // Price lists of resellers have names such as openai/gpt-4o, too: what names a provider of ours means that one.
    const named = slash > 0 ? this.#byName.get(model.slice(0, slash)) : undefined;
    if (named !== undefined) return choiceAt(named, model.slice(slash + 1), wire);
    return (
      this.#first(wire, model, ({ listed }) => listed.has(model)) ??
      this.#first(wire, model, ({ only }) => only === null)
    );
  }

  /** A deployment by the name of its provider; undefined where no call of this wire can be made there. */
  at(provider: string, model: string, wire: Wire): Choice | undefined {
    const upstream = this.#byName.get(provider);
    return upstream === undefined ? undefined : choiceAt(upstream, model, wire);
  }

  #first(wire: Wire, model: string, serves: (upstream: Upstream) => boolean): Choice | undefined {
    const able = this.#upstreams.filter(serves);
    for (const reach of [spokenAt, translatedAt]) {
      for (const upstream of able) {
        const spoken = reach(upstream, model, wire);
        if (spoken !== undefined) return { upstream, model, wire: spoken };
      }
    }
    return undefined;
  }

  /** For routes that name no model: the provider that was named, else the first that takes the wire. */
  speaking(wire: Wire, named: string | undefined): Choice | undefined {
    const asked = named === undefined ? this.#upstreams : [this.#byName.get(named)];
    for (const upstream of asked) {
      const spoken = upstream === undefined ? undefined : spokenAt(upstream, '', wire);
      if (upstream !== undefined && spoken !== undefined) return { upstream, model: '', wire: spoken };
    }
    return undefined;
  }

  /** The dialects in which a model could be called, for the hint when the caller's is none of them. */
  dialectsOf(model: string): readonly Dialect[] {
    const named = this.#byName.get(model.slice(0, Math.max(0, model.indexOf('/'))));
    const serving = named === undefined ? this.#upstreams.filter(({ listed }) => listed.has(model)) : [named];
    return [...new Set(serving.flatMap(({ dialects }) => dialects))];
  }

  list(dialect?: Dialect): { readonly id: string; readonly provider: string }[] {
    const seen = new Set<string>();
    const models: { id: string; provider: string }[] = [];
    for (const upstream of this.#upstreams) {
      if (dialect !== undefined && !speaks(upstream, dialect)) continue;
      for (const model of upstream.listed) {
        // The bare name belongs to the first provider that lists it; a later one is reached by its prefix.
        models.push({ id: seen.has(model) ? `${upstream.name}/${model}` : model, provider: upstream.name });
        seen.add(model);
      }
    }
    return models;
  }

  /** A model to try first, and the dialect it is spoken to in. */
  example(): { readonly model: string; readonly dialect: Dialect } {
    const [first] = this.#upstreams;
    const dialect = first?.dialects[0] ?? 'openai';
    const models = this.list(dialect).map(({ id }) => id);
    return { dialect, model: FIRST_MODELS.find((model) => models.includes(model)) ?? models[0] ?? 'gpt-4o-mini' };
  }

  names(): string[] {
    return this.#upstreams.map((upstream) => upstream.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => upstream.pool.destroy()));
  }
}

function choiceAt(upstream: Upstream, model: string, wire: Wire): Choice | undefined {
  if (model === '' || (upstream.only !== null && !upstream.only.has(model))) return undefined;
  const spoken = spokenAt(upstream, model, wire) ?? translatedAt(upstream, model, wire);
  return spoken === undefined ? undefined : { upstream, model, wire: spoken };
}

/** The caller's own wire, as the provider takes it. */
function spokenAt(upstream: Upstream, model: string, wire: Wire): Wire | undefined {
  if (!speaks(upstream, wire.dialect)) return undefined;
  return upstream.wireFor === null ? wire : upstream.wireFor(wire, model);
}

function translatedAt(upstream: Upstream, model: string, wire: Wire): Wire | undefined {
  for (const target of targetsOf(wire)) {
    const spoken = spokenAt(upstream, model, target);
    if (spoken !== undefined) return translated(wire, { target, spoken, model });
  }
  return undefined;
}

function speaks(upstream: Upstream, dialect: Dialect): boolean {
  return upstream.dialects.includes(dialect);
}

function openUpstream(provider: ProviderConfig, options: UpstreamOptions): Upstream {
  const url = new URL(provider.baseUrl);
  const only = provider.models === null ? null : new Set(provider.models);
  const { timeouts } = provider;
  return {
    name: provider.name,
    priceAs: provider.priceAs,
    region: provider.region,
    dialects: provider.dialects,
    wireFor: provider.host,
    quirks: provider.quirks,
    onDisconnect: provider.onDisconnect,
    drain: provider.drain,
    timeouts,
    pool: openPool(url.origin, timeouts, {}),
    basePath: url.pathname.replace(/\/+$/, ''),
    host: url.host,
    socketOrigin: url.origin.replace(/^http/, 'ws'),
    signer:
      provider.signIn === null
        ? null
        : openSigner(provider.signIn, { clock: options.clock, timeoutMs: timeouts.connectMs }),
    deployments: provider.deployments,
    pricedBy: provider.pricedBy,
    headers: { ...(provider.apiKey === null ? {} : provider.credentials(provider.apiKey)), ...provider.headers },
    only,
    listed: only ?? listedModels(provider, options),
    refusesUsageOption: false,
  };
}

/** With deployments of its own names, a provider serves those; the rest of its price list is nothing it has. */
function listedModels(
  { deployments, priceAs, dialects }: ProviderConfig,
  options: UpstreamOptions,
): ReadonlySet<string> {
  if (deployments.size > 0) return new Set(deployments.keys());
  const priced = options.pricedModels(priceAs);
  // Google's price list has what its cloud sells of others; where only Gemini is spoken, none of that is served.
  const onlyGemini = dialects.every((dialect) => dialect === 'gemini');
  return new Set(onlyGemini ? priced.filter((model) => !model.startsWith('claude')) : priced);
}

function openSandbox(socketPath: string, options: UpstreamOptions): Upstream {
  const models = new Set(options.pricedModels(SANDBOX));
  return {
    name: SANDBOX,
    priceAs: SANDBOX,
    region: '',
    dialects: ['openai', 'anthropic', 'gemini'],
    wireFor: null,
    host: SANDBOX,
    socketOrigin: null,
    signer: null,
    deployments: new Map(),
    pricedBy: 'answer',
    quirks: NO_QUIRKS,
    onDisconnect: 'drain',
    drain: { maxMs: options.timeouts.totalMs, maxBytes: Number.MAX_SAFE_INTEGER },
    timeouts: options.timeouts,
    pool: openPool('http://sandbox', options.timeouts, { socketPath }),
    basePath: '/v1',
    headers: {},
    only: models,
    listed: models,
    refusesUsageOption: false,
  };
}

function openPool(
  origin: string,
  timeouts: Pick<Config['timeouts'], 'connectMs' | 'firstByteMs' | 'idleMs'>,
  connect: { socketPath?: string },
): Pool {
  return new Pool(origin, {
    // A POST is never repeated on a socket: one connection carries one call at a time.
    pipelining: 1,
    headersTimeout: timeouts.firstByteMs,
    bodyTimeout: timeouts.idleMs,
    connect: { timeout: timeouts.connectMs, noDelay: true, ...connect },
  });
}
