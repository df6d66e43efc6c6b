import type { IncomingHttpHeaders } from 'node:http';
import type { CallId } from '#terms';
import { dialectOf, type Dialect } from '#wires';
import type { Plan } from './attempt.ts';

/** What a caller may say to the provider in headers. Credentials and everything of ours stay here. */
const TO_UPSTREAM = [
  'accept',
  'user-agent',
  'openai-beta',
  'openai-organization',
  'openai-project',
  'anthropic-version',
  'anthropic-beta',
  'x-goog-api-client',
  'idempotency-key',
  'x-client-request-id',
  'x-amzn-bedrock-trace',
  'x-amzn-bedrock-guardrailidentifier',
  'x-amzn-bedrock-guardrailversion',
  'x-amzn-bedrock-performanceconfig-latency',
  'x-amzn-bedrock-service-tier',
  'x-amzn-bedrock-request-metadata',
] as const;

/** What a provider's answer may say to the caller in headers. */
const TO_CALLER = [
  'content-type',
  'content-disposition',
  'cache-control',
  'retry-after',
  'x-request-id',
  'request-id',
  'openai-processing-ms',
  'openai-version',
  'openai-model',
  'x-generation-id',
];

const TO_CALLER_PREFIXES = ['x-ratelimit-', 'anthropic-ratelimit-', 'x-amzn-'] as const;

/** Anthropic refuses a request that does not name a version (docs.anthropic.com/en/api/versioning). */
export const ANTHROPIC_VERSION = '2023-06-01';

/** How the names of headers begin that only one dialect knows. */
const DIALECT_PREFIXES: Readonly<Record<Dialect, RegExp>> = {
  openai: /^openai-/,
  anthropic: /^anthropic-/,
  gemini: /^x-goog-/,
  bedrock: /^x-amzn-/,
  cohere: /^x-client-name$/,
};

export function upstreamHeaders(headers: IncomingHttpHeaders, plan: Plan): Record<string, string> {
  const { wire } = plan.step;
  const dialect = dialectOf(wire);
  // Usage is read from the bytes as they pass: compressed ones would have to be unpacked first.
  const sent: Record<string, string> = { 'accept-encoding': 'identity' };
  if (dialect === 'anthropic') sent['anthropic-version'] = ANTHROPIC_VERSION;
  for (const name of TO_UPSTREAM) {
    const value = headers[name];
    if (typeof value === 'string' && !(dialect !== wire.dialect && isOf(wire.dialect, name))) sent[name] = value;
  }
  if (plan.upstreamBody !== null) sent['content-type'] = contentTypeOf(headers, plan);
  return Object.assign(sent, plan.step.upstream.headers);
}

function isOf(dialect: Dialect, name: string): boolean {
  return DIALECT_PREFIXES[dialect].test(name);
}

/** A form keeps its boundary; what was read as JSON is sent as JSON. */
function contentTypeOf(headers: IncomingHttpHeaders, { call: { body } }: Plan): string {
  const given = headers['content-type'];
  return body.members.size > 0 || given === undefined ? 'application/json' : given;
}

/** Names and words of callers as a header takes them: ASCII, all else percent-encoded. */
export function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}

export function callerHeaders(
  given: Readonly<Record<string, string | string[] | undefined>>,
  callId: CallId,
): Record<string, string> {
  const shown: Record<string, string> = { 'x-apportion-call-id': callId, 'x-litellm-call-id': callId };
  for (const name of TO_CALLER) {
    const value = given[name];
    if (typeof value === 'string') shown[name] = value;
  }
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string' && TO_CALLER_PREFIXES.some((prefix) => name.startsWith(prefix))) shown[name] = value;
  }
  return shown;
}
