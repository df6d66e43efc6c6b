import type { IncomingHttpHeaders } from 'node:http';
import type { CallId } from '#terms';
import type { Upstream } from './upstreams.ts';

/** What a caller may say to the provider in headers. Credentials and everything of ours stay here. */
const TO_UPSTREAM = [
  'accept',
  'user-agent',
  'openai-beta',
  'openai-organization',
  'openai-project',
  'idempotency-key',
  'x-client-request-id',
] as const;

/** What a provider's answer may say to the caller in headers. */
const TO_CALLER = [
  'content-type',
  'cache-control',
  'retry-after',
  'x-request-id',
  'openai-processing-ms',
  'openai-version',
  'openai-model',
];

export function upstreamHeaders(headers: IncomingHttpHeaders, upstream: Upstream): Record<string, string> {
  // Usage is read from the bytes as they pass: compressed ones would have to be unpacked first.
  const sent: Record<string, string> = { 'content-type': 'application/json', 'accept-encoding': 'identity' };
  for (const name of TO_UPSTREAM) {
    const value = headers[name];
    if (typeof value === 'string') sent[name] = value;
  }
  return Object.assign(sent, upstream.headers);
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
    if (name.startsWith('x-ratelimit-') && typeof value === 'string') shown[name] = value;
  }
  return shown;
}
