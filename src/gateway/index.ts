/**
 * Is: the call path: accept → identify → tag → choose → reserve → forward → meter → rate → record → settle.
 * Owns: the order of these steps, upstream connections, what the caller is answered. Not: SQL, prices, tag rules.
 * Holds: the end of an answer leaves only after its entry is durable; a POST is never sent twice.
 * Fails: one OpenAI error envelope per call; what was spent by then is recorded first.
 */
export { BatchCollector } from './batches/collector.ts';
export { CALL_ROUTES, GEMINI_ACTIONS } from './routes.ts';
export { Governor } from './governor.ts';
export { Refusals } from './refusals.ts';
export { Routing } from './routing.ts';
export { createGateway, type Gateway, type GatewayDeps } from './server.ts';
export { Leases } from './leases/leases.ts';
export { Recording } from './recording.ts';
export { LedgerProxy } from './proxy.ts';
export { Tagging, type TaggingOptions } from './tagging.ts';
export { Upstreams } from './upstreams.ts';
