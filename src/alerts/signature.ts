import { createHmac } from 'node:crypto';
import type { TimestampMs } from '#std';

export const SECRET_PREFIX = 'whsec_';

/**
 * Headers of a signed webhook, as the Standard Webhooks specification has them (https://www.standardwebhooks.com): HMAC-SHA256
 * over id, time in seconds and body. The id is the same for every repetition.
 */
export function signedHeaders(
  message: { readonly id: string; readonly body: string },
  secret: string,
  at: TimestampMs,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${message.id}.${timestamp}.${message.body}`).digest('base64');
  return { 'webhook-id': message.id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
