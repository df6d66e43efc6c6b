import { createHash, createHmac } from 'node:crypto';
import type { Received } from '../dialect.ts';

/** Who may sign, and for where. */
export type AwsIdentity = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly sessionToken?: string;
};

export const AWS_IDENTITY: AwsIdentity = {
  accessKeyId: 'AKIAOFTHETESTS000000',
  secretAccessKey: 'a/secret+access/key/of/the/tests/00000000',
  region: 'us-east-1',
};

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

const CLOCK_SKEW_MS = 5 * 60_000;

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** What is wrong with a request's signature (version 4), computed anew from its specification; null for nothing. */
export function signatureFault(received: Received, identity: AwsIdentity): string | null {
  const { headers } = received;
  const parts = AUTHORIZATION.exec(headers['authorization'] ?? '');
  if (parts === null) return 'The request carries no signature.';
  const [, accessKeyId, day = '', region = '', service = '', signedNames = '', signature] = parts;
  if (accessKeyId !== identity.accessKeyId) return 'The security token included in the request is invalid.';
  if (region !== identity.region || service !== 'bedrock') return 'Credential should be scoped to a valid region.';
  const names = signedNames.split(';');
  if (!['host', 'x-amz-date'].every((name) => names.includes(name))) return 'Host and date must be signed.';
  if ((headers['x-amz-security-token'] ?? undefined) !== identity.sessionToken) return 'The session token is wrong.';
  const time = headers['x-amz-date'] ?? '';
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!time.startsWith(day) || !(Math.abs(Date.now() - at) < CLOCK_SKEW_MS)) return 'Signature expired.';
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonicalRequest(received, names))].join('\n');
  const keys = [day, region, service, 'aws4_request'];
  const key = keys.reduce<Buffer>((last, text) => hmac(last, text), Buffer.from(`AWS4${identity.secretAccessKey}`));
  return hmac(key, toSign).toString('hex') === signature ? null : 'The signature does not match.';
}

function canonicalRequest({ method, path, query, headers, body }: Received, names: readonly string[]): string {
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalQuery = [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const hash = headers['x-amz-content-sha256'] ?? sha256(body);
  return [
    method,
    // Every service but S3 encodes the path once more than it is sent.
    path.split('/').map(encode).join('/'),
    canonicalQuery,
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    names.join(';'),
    hash === sha256(body) ? hash : 'the body is another one',
  ].join('\n');
}
