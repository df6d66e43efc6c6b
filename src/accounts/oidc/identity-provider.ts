import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretPost,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  type Configuration,
} from 'openid-client';
import { z } from 'zod';
import { type OidcConfig } from '#config';
import { type Clock } from '#std';
import { type RandomBytes } from '../token.ts';

/** How long somebody may take at the provider. */
export const PENDING_MS = 10 * 60_000;

const TIMEOUT_SECONDS = 10;

const pendingSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  next: z.string(),
  until: z.number(),
});

/** A sign-in under way: what the provider's answer must fit, and where to go then. */
type Pending = z.infer<typeof pendingSchema>;

export type Claims = Readonly<Record<string, unknown>>;

export type IdentityProviderDeps = { readonly clock: Clock; readonly random: RandomBytes };

/**
 * One OpenID provider, by the authorization code flow with PKCE, state and nonce; the ID token's signature is checked against the
 * provider's keys. Sign-ins under way are kept by the browser, sealed, so that nobody can fill this server with them.
 */
export class IdentityProvider {
  readonly #config: OidcConfig;
  readonly #deps: IdentityProviderDeps;
  readonly #seal: Buffer;
  #found: Promise<Configuration> | null = null;

  constructor(config: OidcConfig, deps: IdentityProviderDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#seal = Buffer.from(deps.random(32));
  }

  /** @returns where to send the browser, and what it brings back in a cookie. Rejects when the provider does not answer */
  async begin(next: string): Promise<{ readonly url: string; readonly sealed: string }> {
    const { clock, random } = this.#deps;
    const word = (): string => Buffer.from(random(32)).toString('base64url');
    const pending: Pending = {
      state: word(),
      nonce: word(),
      verifier: word(),
      next,
      until: clock.now() + PENDING_MS,
    };
    const url = buildAuthorizationUrl(await this.#discovered(), {
      redirect_uri: this.redirectUri,
      scope: this.#config.scopes.join(' '),
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, sealed: this.#close(pending) };
  }

  /** Undefined for a cookie that is not of this server, or too old. */
  opened(sealed: string | undefined): Pending | undefined {
    const pending = sealed === undefined ? undefined : this.#open(sealed);
    return pending !== undefined && pending.until > this.#deps.clock.now() ? pending : undefined;
  }

  /** What the provider says of whoever comes back. Rejects for an answer that does not fit, in whatever respect. */
  async finish(query: string, pending: Pending): Promise<Claims> {
    const provider = await this.#discovered();
    const tokens = await authorizationCodeGrant(provider, new URL(`${this.redirectUri}?${query}`), {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('the provider answered without an ID token');
    if (provider.serverMetadata().userinfo_endpoint === undefined) return claims;
    // Some providers keep the ID token small and tell e-mail and groups only when asked.
    return { ...(await fetchUserInfo(provider, tokens.access_token, claims.sub)), ...claims };
  }

  get redirectUri(): string {
    return `${this.#config.publicUrl}/ui/oidc/callback`;
  }

  /** Asked for at the first sign-in, so that a provider that is down stops no server; asked again while it failed. */
  #discovered(): Promise<Configuration> {
    this.#found ??= this.#discover().catch((error: unknown) => {
      this.#found = null;
      throw error;
    });
    return this.#found;
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#config;
    const server = new URL(issuer);
    const secured = clientSecret === null ? None() : ClientSecretPost(clientSecret);
    const execute = [enableNonRepudiationChecks];
    if (server.protocol === 'http:') execute.push(allowInsecureRequests);
    return discovery(server, clientId, {}, secured, { execute, timeout: TIMEOUT_SECONDS });
  }

  #close(pending: Pending): string {
    const nonce = Buffer.from(this.#deps.random(12));
    const cipher = createCipheriv('aes-256-gcm', this.#seal, nonce);
    const text = Buffer.concat([cipher.update(JSON.stringify(pending)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
  }

  #open(sealed: string): Pending | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < 28) return undefined;
    const opener = createDecipheriv('aes-256-gcm', this.#seal, bytes.subarray(0, 12));
    opener.setAuthTag(bytes.subarray(12, 28));
    const text = opener.update(bytes.subarray(28));
    try {
      return pendingSchema.parse(JSON.parse(Buffer.concat([text, opener.final()]).toString()));
    } catch {
      // Sealed before a restart, or by somebody else.
      return undefined;
    }
  }
}
