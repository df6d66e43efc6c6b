/**
 * Is: the world outside the gateway, for tests and benchmarks: an upstream that speaks the providers' formats, clients under load, the gateway's processes.
 * Owns: the upstream's own price list and bill, seeded plans of calls, starting and killing. Not: any code of the gateway.
 * Holds: what the upstream served is on its bill before its first byte leaves; the same seed gives the same calls and usage.
 * Fails: loudly: a misspelt behaviour, a gateway that does not start and a wait without end are errors that say so.
 */
export { AZURE_DEPLOYMENTS, FILTERED } from './azure/index.ts';
export { AWS_IDENTITY } from './bedrock/signature.ts';
export { OWN_PROFILE } from './bedrock/models.ts';
export { startBatchUpstream, type BatchUpstream } from './batch-upstream.ts';
export { behaviourText, type Behaviour, type Fault, type SpeakerName } from './behaviour.ts';
export { totalOf, type Bill, type BillEntry } from './bill.ts';
export { valueFor } from './conversation.ts';
export { makeClients, type Clients, type Target } from './clients.ts';
export {
  ADMIN_KEY,
  ALL_PROVIDERS,
  startGateway,
  type Exit,
  type Gateway,
  type GatewayOptions,
  type ProviderName,
} from './gateway-process.ts';
export { ALL_APIS, driveLoad, planCalls, type LoadOptions, type PlannedCall, type PlanOptions } from './load.ts';
export { makeCall, type Api, type CallOutcome } from './make-call.ts';
export { FREE_CALLS, NATIVE_CALLS, type NativeCall } from './native-calls.ts';
export { startOidcProvider, type OidcAnswer, type OidcProvider } from './oidc-provider.ts';
export { pico, picoText } from './pico.ts';
export type { BilledMeters, ServedModel } from './price-list.ts';
export { startRealtimeUpstream, type RealtimeUpstream } from './realtime-upstream.ts';
export { startRedis, withoutRedis, type RedisServer } from './redis.ts';
export { seededRandom, type Random } from './random.ts';
export { runBash, runPython, withoutPython, type Variables } from './scripts.ts';
export type { Attribution } from './tag-shapes.ts';
export { localCertificate } from './clouds/certificate.ts';
export { startTokenEndpoint, type TokenEndpoint } from './clouds/token-endpoint.ts';
export { planPieces } from './token-plan.ts';
export { until } from './until.ts';
export { startUpstream, UPSTREAM_KEY, type ReceivedRequest, type Upstream, type UpstreamOptions } from './upstream.ts';
export { startUpstreamProcess } from './upstream-process.ts';
export { VERTEX_PROJECT } from './vertex/index.ts';
export { startWorld, type World } from './world.ts';
