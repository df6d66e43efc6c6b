import { openAiChat, openAiCompletions, openAiEmbeddings } from '#wires';
import type { CallRoute } from './call.ts';

/**
 * Every route that costs money, by its path without `/v1`. A call is served only from here, through the one function
 * that takes all steps: a route cannot forget to read tags, to reserve or to record.
 */
export const CALL_ROUTES: ReadonlyMap<string, CallRoute> = new Map([
  ['/chat/completions', { operation: 'chat', upstreamPath: '/chat/completions', wire: openAiChat }],
  ['/completions', { operation: 'text_completion', upstreamPath: '/completions', wire: openAiCompletions }],
  ['/embeddings', { operation: 'embeddings', upstreamPath: '/embeddings', wire: openAiEmbeddings }],
]);
