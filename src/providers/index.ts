/**
 * Is: the wire formats of providers: one folder each, bytes to usage, requests in and out.
 * Owns: reading answers and streams, editing requests, the built-in sandbox. Not: a price, a tag or a key of ours.
 * Holds: every unit of usage lands in exactly one meter; bytes that need no change are forwarded as they came.
 * Fails: `invalid_field` for a request it cannot read; unknown or missing usage is null, never zero.
 */
export { createEstimator, type Estimator } from './estimate/index.ts';
export { openAiChat, openAiCompletions, openAiEmbeddings } from './openai/index.ts';
export { startSandbox, type Sandbox } from './sandbox/index.ts';
export type { AnswerFacts, RequestBody, RequestEdit, StreamMeter, Wire, WireRequest } from './wire.ts';
