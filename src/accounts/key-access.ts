import { z } from 'zod';
import { parseAddressSet, withoutApiPrefix } from '#http';
import { ApportionError } from '#terms';

/** What LiteLLM calls `allowed_routes`; and from where a key may be used. */
export const accessFields = {
  allowed_routes: z.array(z.string().trim().min(1).max(256)).max(200).nullish(),
  allowed_ips: z.array(z.string().trim().min(1).max(64)).max(200).nullish(),
  /** LiteLLM's short word for some routes. Every key of ours makes calls and nothing else. */
  key_type: z.enum(['default', 'llm_api']).nullish(),
};

/** LiteLLM's names for groups of routes, as far as a call key could ever use them. */
const ROUTE_GROUPS = ['llm_api_routes', 'openai_routes', 'anthropic_routes', 'google_routes'] as const;

const groups: ReadonlySet<string> = new Set(ROUTE_GROUPS);

/** In the spelling that routes have here: without `/v1`; `*` at the end stands for whatever follows. */
export function parseAllowedRoutes(routes: readonly string[]): readonly string[] {
  return [...new Set(routes.map(parseAllowedRoute))];
}

function parseAllowedRoute(route: string): string {
  if (groups.has(route)) return route;
  if (/^\/[\w./:{}-]*\*?$/.test(route)) return withoutApiPrefix(route.replace(/(?<=.)\/$/, ''));
  const isLiteLlms = /^\w+_routes$/.test(route);
  throw new ApportionError('invalid_field', `allowed_routes: ${JSON.stringify(route)} is no route of a call.`, {
    param: 'allowed_routes',
    hint: isLiteLlms
      ? `A call key makes calls and administers nothing. Groups are ${ROUTE_GROUPS.join(', ')}.`
      : `Write a path such as "/v1/chat/completions" or "/v1/files/*", or one of ${ROUTE_GROUPS.join(', ')}.`,
  });
}

export function parseAllowedAddresses(addresses: readonly string[]): readonly string[] {
  const set = parseAddressSet(addresses);
  if ('has' in set) return [...new Set(addresses)];
  throw new ApportionError('invalid_field', `allowed_ips: ${JSON.stringify(set.unfit)} is no address and no range.`, {
    param: 'allowed_ips',
    hint: 'Write single addresses or ranges, such as "203.0.113.7", "10.0.0.0/8" or "2001:db8::/32".',
  });
}
