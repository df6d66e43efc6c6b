import type { Clock } from '#std';
import { signForAws, type AwsSignIn } from './aws.ts';
import { entraToken, type EntraSignIn } from './entra.ts';
import { Fresh } from './fresh.ts';
import { googleToken, type GoogleSignIn } from './google.ts';

/** How a provider is signed in to where a key alone does not do. Holds secrets: never printed. */
export type SignIn = AwsSignIn | EntraSignIn | GoogleSignIn;

/** A request as it will be sent, but for its sign-in. */
export type UnsignedRequest = {
  readonly method: string;
  /** With the port, where it is not the usual one. */
  readonly host: string;
  /** With the query. */
  readonly path: string;
  readonly body: Buffer | null;
};

/** Gives the headers that sign a request in. Rejects when it cannot: then nothing may be sent. */
export type Signer = (request: UnsignedRequest) => Promise<Readonly<Record<string, string>>>;

export type SignerDeps = { readonly clock: Clock; readonly timeoutMs: number };

/** Tokens and credentials are fetched at the first request and kept fresh; the libraries that do so are loaded then. */
export function openSigner(signIn: SignIn, deps: SignerDeps): Signer {
  switch (signIn.kind) {
    case 'aws':
      return signForAws(signIn, deps);
    case 'entra':
      return bearing(new Fresh(() => entraToken(signIn), deps));
    case 'google':
      return bearing(new Fresh(() => googleToken(signIn, () => deps.clock.now()), deps));
  }
}

function bearing(token: Fresh<string>): Signer {
  return async () => ({ authorization: `Bearer ${await token.get()}` });
}
