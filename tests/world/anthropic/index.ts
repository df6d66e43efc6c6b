import type { Dialect, Operation } from '../dialect.ts';
import { countTokens } from './count-tokens.ts';
import { messages } from './messages.ts';
import { checkHeaders, refusal } from './refusals.ts';

const ROUTES: ReadonlyMap<string, Operation> = new Map([
  ['/v1/messages', messages],
  ['/v1/messages/count_tokens', countTokens],
]);

export const anthropic: Dialect = {
  name: 'anthropic',
  owns: ({ path }) => path === '/v1/messages' || path.startsWith('/v1/messages/'),
  authorize: checkHeaders,
  operation: ({ method, path }) => (method === 'POST' ? ROUTES.get(path) : undefined),
  refusal,
};
