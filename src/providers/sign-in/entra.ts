import type { TokenCredential } from '@azure/identity';
import type { TimestampMs } from '#std';
import type { Perishable } from './fresh.ts';

/** Microsoft Entra: an application with a secret, a managed identity, or whatever the default chain finds. */
export type EntraSignIn = {
  readonly kind: 'entra';
  readonly scope: string;
  /** Null for the public cloud. */
  readonly authority: string | null;
  readonly as:
    | { readonly who: 'application'; readonly tenantId: string; readonly clientId: string; readonly secret: string }
    | { readonly who: 'managed identity'; readonly clientId: string | null }
    | { readonly who: 'default chain' };
};

/** One credential per sign-in: it keeps what it learnt of the tenant. */
const credentials = new WeakMap<EntraSignIn, TokenCredential>();

export async function entraToken(signIn: EntraSignIn): Promise<Perishable<string>> {
  const credential = credentials.get(signIn) ?? (await openCredential(signIn));
  credentials.set(signIn, credential);
  const found = await credential.getToken(signIn.scope);
  if (found === null) throw new Error('Microsoft Entra gave no token');
  return { value: found.token, expiresAt: found.expiresOnTimestamp as TimestampMs };
}

async function openCredential({ as, authority }: EntraSignIn): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  // An authority of one's own is not in Microsoft's list, which would be asked about it.
  const options = authority === null ? {} : { authorityHost: authority, disableInstanceDiscovery: true };
  switch (as.who) {
    case 'application':
      return new ClientSecretCredential(as.tenantId, as.clientId, as.secret, options);
    case 'managed identity':
      return as.clientId === null
        ? new ManagedIdentityCredential()
        : new ManagedIdentityCredential({ clientId: as.clientId });
    case 'default chain':
      return new DefaultAzureCredential(options);
  }
}
