import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the next sign-in proves, and what is wrong with it. */
export type OidcAnswer = {
  /** Over those of an honest token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signed with a key that the provider does not publish. */
  readonly forged?: boolean;
  /** What `state` comes back as; as it was sent when not said. */
  readonly state?: string;
};

export type OidcProvider = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of every sign-in from now on. */
  answer(answer: OidcAnswer): void;
  /** The parameters of each request for a token. */
  readonly tokenRequests: readonly URLSearchParams[];
  close(): Promise<void>;
};

type Granted = { readonly challenge: string; readonly nonce: string | null; readonly redirectUri: string };

const LIFE_SECONDS = 300;

/** An OpenID provider where everybody who comes is signed in at once: discovery, authorization code with PKCE, RS256 and its keys. */
export async function startOidcProvider(): Promise<OidcProvider> {
  const [honest, stranger] = [rsaPair(), rsaPair()];
  const granted = new Map<string, Granted>();
  const tokenRequests: URLSearchParams[] = [];
  const client = { id: 'apportion', secret: 'secret-of-the-oidc-client' };
  let next: OidcAnswer = {};
  let issuer = '';

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirectUri = query.get('redirect_uri') ?? '';
    const fits =
      query.get('client_id') === client.id &&
      query.get('response_type') === 'code' &&
      query.get('code_challenge_method') === 'S256' &&
      query.get('scope')?.split(' ').includes('openid') === true;
    if (!fits) return void response.writeHead(400).end('this request does not fit');
    const code = randomBytes(16).toString('hex');
    granted.set(code, { challenge: query.get('code_challenge') ?? '', nonce: query.get('nonce'), redirectUri });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', next.state ?? query.get('state') ?? '');
    back.searchParams.set('iss', issuer);
    response.writeHead(302, { location: back.href }).end();
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const given = new URLSearchParams(await bodyOf(request));
    tokenRequests.push(given);
    const code = given.get('code') ?? '';
    const grant = granted.get(code);
    granted.delete(code);
    const challenge = createHash('sha256')
      .update(given.get('code_verifier') ?? '')
      .digest('base64url');
    const fits =
      grant !== undefined &&
      grant.challenge === challenge &&
      grant.redirectUri === given.get('redirect_uri') &&
      given.get('client_secret') === client.secret;
    if (!fits) return sendJson(response, { error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: 'subject-of-ada',
      aud: client.id,
      iat: now,
      exp: now + LIFE_SECONDS,
      nonce: grant.nonce,
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada',
      ...next.claims,
    };
    const idToken = jwtOf(claims, next.forged === true ? stranger.privateKey : honest.privateKey);
    sendJson(response, {
      access_token: 'an-access-token',
      token_type: 'Bearer',
      expires_in: LIFE_SECONDS,
      id_token: idToken,
    });
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer);
    if (pathname === '/authorize') authorize(searchParams, response);
    else if (pathname === '/token') void token(request, response);
    else if (pathname === '/jwks')
      sendJson(response, { keys: [{ ...honest.publicKey.export({ format: 'jwk' }), ...KEY }] });
    else if (pathname === '/.well-known/openid-configuration') sendJson(response, metadataOf(issuer));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the provider has no port');
  issuer = `http://127.0.0.1:${address.port}`;
  return {
    issuer,
    clientId: client.id,
    clientSecret: client.secret,
    answer: (answer) => void (next = answer),
    tokenRequests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const KEY = { kid: 'first', alg: 'RS256', use: 'sig' };

function metadataOf(issuer: string): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    authorization_response_iss_parameter_supported: true,
  };
}

function rsaPair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function jwtOf(claims: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: KEY.kid, typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function sendJson(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
