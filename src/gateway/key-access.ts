import type { IncomingMessage } from 'node:http';
import type { RingKey } from '#accounts';
import { addressSetOf, clientAddress, parseTarget, withoutApiPrefix, type AddressSet } from '#http';
import { ApportionError } from '#terms';
import type { Dialect } from '#wires';

/** What of a request a key may be held to. */
export type Asked = {
  readonly request: Pick<IncomingMessage, 'headers' | 'socket' | 'url'>;
  readonly dialect: Dialect;
};

/** Throws `not_allowed` where a key may not be used so. */
export type KeyAccess = (asked: Asked, trustedProxies: AddressSet) => void;

const GROUPS: Readonly<Record<string, Dialect>> = {
  openai_routes: 'openai',
  anthropic_routes: 'anthropic',
  google_routes: 'gemini',
};

/** Null for a key that may be used from everywhere for everything: most are, and nothing is asked of their calls. */
export function keyAccessOf({ routes, addresses }: Pick<RingKey, 'routes' | 'addresses'>): KeyAccess | null {
  if (routes.length === 0 && addresses.length === 0) return null;
  const from = addresses.length === 0 ? null : addressSetOf(addresses);
  const allows = routes.length === 0 ? null : routeRuleOf(routes);
  return ({ request, dialect }, trustedProxies) => {
    if (from !== null) {
      const address = clientAddress(request, trustedProxies);
      if (!from.has(address)) throw notFrom(address);
    }
    if (allows === null) return;
    const path = withoutApiPrefix(parseTarget(request.url ?? '/').path);
    if (!allows(path, dialect)) throw notThere(path, routes);
  };
}

function routeRuleOf(routes: readonly string[]): (path: string, dialect: Dialect) => boolean {
  if (routes.includes('llm_api_routes')) return () => true;
  const whole = new Set(routes);
  const beginnings = routes.filter((route) => route.endsWith('*')).map((route) => route.slice(0, -1));
  const dialects = new Set(routes.map((route) => (Object.hasOwn(GROUPS, route) ? GROUPS[route] : undefined)));
  return (path, dialect) =>
    whole.has(path) || dialects.has(dialect) || beginnings.some((beginning) => path.startsWith(beginning));
}

function notFrom(address: string): ApportionError {
  return new ApportionError('not_allowed', `This key may not be used from ${address}.`, {
    hint: 'The admin says from where with POST /key/update (allowed_ips). Behind a proxy, its address belongs in APPORTION_TRUSTED_PROXIES.',
  });
}

function notThere(path: string, routes: readonly string[]): ApportionError {
  return new ApportionError('not_allowed', `This key may not use ${path}.`, {
    hint: `It may use ${routes.join(', ')}. The admin changes that with POST /key/update (allowed_routes).`,
  });
}
