import { NO_LIMITS, NO_ROUTING, type ModelRoute, type RouteDeployment, type RoutingConfig } from '#config';
import { systemClock, type TimestampMs } from '#std';
import { DEFAULT_TAG_RULES, readBodyTags, resolveTags } from '#tags';
import type { PicoUsd, TagSet } from '#terms';
import { openAiChat, type Wire } from '#wires';
import { provider } from './provider.fixture.ts';
import { Routing, type Asking, type Planned } from './routing.ts';
import { Upstreams } from './upstreams.ts';

/** `provider/model` as the settings would give it. */
export function deployment(name: string, changes: Partial<RouteDeployment> = {}): RouteDeployment {
  const [at = '', model = ''] = name.split('/');
  return { id: name, provider: at, model, weight: 1, tags: [], limits: NO_LIMITS, ...changes };
}

export function route(
  name: string,
  deployments: readonly RouteDeployment[],
  changes: Partial<ModelRoute> = {},
): ModelRoute {
  return { name, strategy: 'weighted', sticky: false, deployments, fallbacks: [], ...changes };
}

export type Opened = {
  readonly routing: Routing;
  readonly time: { elapsedMs: number };
  plan(model: string, asked?: Partial<Asking>): Planned;
};

/** Routing over the providers a to d, which speak OpenAI's dialect, with a clock and draws of the test's own. */
export function openRouting(
  t: { after(close: () => Promise<void>): void },
  given: { readonly config: Partial<RoutingConfig>; readonly random?: () => number },
): Opened {
  const upstreams = new Upstreams({
    providers: ['a', 'b', 'c', 'd'].map((name) => provider(name, { priceAs: 'openai' })),
    clock: systemClock,
    sandboxSocket: null,
    pricedModels: () => [],
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 1_000 },
  });
  t.after(() => upstreams.close());
  const time = { elapsedMs: 0 };
  const routing = new Routing({
    upstreams,
    config: { ...NO_ROUTING, ...given.config },
    clock: { now: () => time.elapsedMs as TimestampMs, elapsedMs: () => time.elapsedMs },
    random: given.random ?? (() => 0),
  });
  return { routing, time, plan: (model, asked = {}) => routing.plan({ ...asking(model), ...asked }) };
}

function asking(model: string, wire: Wire = openAiChat): Asking {
  return { model, wire, tags: tagsOf({}), stream: false, expected: () => null };
}

/** The resolved tags of a call with these body fields. */
export function tagsOf(fields: Readonly<Record<string, unknown>>, keyTeam = ''): TagSet {
  const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]));
  const { declaration } = readBodyTags(texts);
  return resolveTags(new Map([['body', declaration]]), { keyTeam, rules: DEFAULT_TAG_RULES });
}

export function usd(pico: bigint): PicoUsd {
  return pico as PicoUsd;
}
