import type { TimestampMs } from '#std';
import { Fresh, type Perishable } from './fresh.ts';
import type { Signer, SignerDeps } from './signer.ts';

/** Signature version 4, with what the AWS SDKs find: environment, profile, web identity, container or instance role. */
export type AwsSignIn = {
  readonly kind: 'aws';
  readonly region: string;
  readonly service: string;
  /** Of the shared configuration files, which may name a role to assume; null for the default one. */
  readonly profile: string | null;
};

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

export function signForAws(signIn: AwsSignIn, deps: SignerDeps): Signer {
  const credentials = new Fresh(() => findCredentials(signIn), deps);
  const { region, service } = signIn;
  return async ({ method, host, path, body }) => {
    const { SignatureV4 } = await import('@smithy/signature-v4');
    const { Sha256 } = await import('@aws-crypto/sha256-js');
    const signature = new SignatureV4({
      credentials: await credentials.get(),
      region,
      service,
      sha256: Sha256,
      // Bedrock's model names have colons: like every service but S3 it wants an encoded path encoded once more.
      uriEscapePath: true,
    });
    const [pathname = '', query = ''] = path.split('?', 2);
    const signed = await signature.sign(
      {
        method,
        protocol: 'https:',
        hostname: host,
        path: pathname,
        query: Object.fromEntries(new URLSearchParams(query)),
        headers: { host },
        body: body ?? '',
      },
      { signingDate: new Date(deps.clock.now()) },
    );
    // Undici writes the host itself.
    const { host: _sent, ...headers } = signed.headers;
    return headers;
  };
}

async function findCredentials({ profile, region }: AwsSignIn): Promise<Perishable<Credentials>> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const find = defaultProvider({ clientConfig: { region }, ...(profile === null ? {} : { profile }) });
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await find({ forceRefresh: true });
  const value = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  return { value, expiresAt: expiration === undefined ? null : (expiration.getTime() as TimestampMs) };
}
