import type { CallRoute } from './call.ts';

/** Every route that costs money, by its path without `/v1`. A route is served only from here, so none can skip a step. */
export const CALL_ROUTES: ReadonlyMap<string, CallRoute> = new Map([
  ['/chat/completions', { operation: 'chat', upstreamPath: '/chat/completions' }],
]);
