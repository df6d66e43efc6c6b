import type { AuthClient } from 'google-auth-library';
import type { TimestampMs } from '#std';
import type { Perishable } from './fresh.ts';

/** Google Cloud: a service account's key file, or application default credentials. */
export type GoogleSignIn = {
  readonly kind: 'google';
  readonly scope: string;
  /** A key file; null for what `GOOGLE_APPLICATION_CREDENTIALS`, gcloud or the machine's metadata name. */
  readonly file: string | null;
};

const clients = new WeakMap<GoogleSignIn, AuthClient>();

/** Where a token does not say how long it lives; Google's live an hour. */
const USUAL_LIFE_MS = 30 * 60_000;

export async function googleToken(signIn: GoogleSignIn, now: () => TimestampMs): Promise<Perishable<string>> {
  const client = clients.get(signIn) ?? (await openClient(signIn));
  clients.set(signIn, client);
  const { token } = await client.getAccessToken();
  if (typeof token !== 'string' || token === '') throw new Error('Google gave no token');
  const expiry = client.credentials.expiry_date;
  return { value: token, expiresAt: (expiry ?? now() + USUAL_LIFE_MS) as TimestampMs };
}

async function openClient({ file, scope }: GoogleSignIn): Promise<AuthClient> {
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({ scopes: [scope], ...(file === null ? {} : { keyFilename: file }) });
  const client = await auth.getClient();
  // Tokens are renewed by us, early: the library must not hand out the old one then.
  client.eagerRefreshThresholdMillis = RENEWED_BEFORE_MS;
  return client;
}

/** More than our own margin: a token that we find due is due for the library too. */
const RENEWED_BEFORE_MS = 6 * 60_000;
