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
  const house: House = {
    issuer: '',
    keys: { honest: rsaPair(), stranger: rsaPair() },
    granted: new Map(),
    asked: [],
    answer: {},
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', house.issuer);
    const { publicKey } = house.keys.honest;
    if (pathname === '/authorize') authorize(house, searchParams, response);
    else if (pathname === '/token') void grantToken(house, request, response);
    else if (pathname === '/jwks') sendJson(response, { keys: [{ ...publicKey.export({ format: 'jwk' }), ...KEY }] });
    else if (pathname === '/.well-known/openid-configuration') sendJson(response, metadataOf(house.issuer));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the provider has no port');
  house.issuer = `http://127.0.0.1:${address.port}`;
  return {
    issuer: house.issuer,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    answer: (answer) => void (house.answer = answer),
    tokenRequests: house.asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const CLIENT = { id: 'apportion', secret: 'secret-of-the-oidc-client' };

type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

type House = {
  issuer: string;
  readonly keys: { readonly honest: KeyPair; readonly stranger: KeyPair };
  readonly granted: Map<string, Granted>;
  readonly asked: URLSearchParams[];
  answer: OidcAnswer;
};

function authorize({ issuer, granted, answer }: House, query: URLSearchParams, response: ServerResponse): void {
  const redirectUri = query.get('redirect_uri') ?? '';
  const fits =
    query.get('client_id') === CLIENT.id &&
    query.get('response_type') === 'code' &&
    query.get('code_challenge_method') === 'S256' &&
    query.get('scope')?.split(' ').includes('openid') === true;
  if (!fits) return void response.writeHead(400).end('this request does not fit');
  const code = randomBytes(16).toString('hex');
  granted.set(code, { challenge: query.get('code_challenge') ?? '', nonce: query.get('nonce'), redirectUri });
  const back = new URL(redirectUri);
  back.searchParams.set('code', code);
  back.searchParams.set('state', answer.state ?? query.get('state') ?? '');
  back.searchParams.set('iss', issuer);
  response.writeHead(302, { location: back.href }).end();
}

async function grantToken(house: House, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const given = new URLSearchParams(await bodyOf(request));
  house.asked.push(given);
  const code = given.get('code') ?? '';
  const grant = house.granted.get(code);
  house.granted.delete(code);
  const challenge = createHash('sha256')
    .update(given.get('code_verifier') ?? '')
    .digest('base64url');
  const fits =
    grant !== undefined &&
    grant.challenge === challenge &&
    grant.redirectUri === given.get('redirect_uri') &&
    given.get('client_secret') === CLIENT.secret;
  if (!fits) return sendJson(response, { error: 'invalid_grant' }, 400);
  sendJson(response, {
    access_token: 'an-access-token',
    token_type: 'Bearer',
    expires_in: LIFE_SECONDS,
    id_token: idTokenOf(house, grant),
  });
}

function idTokenOf({ issuer, keys, answer }: House, { nonce }: Granted): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    sub: 'subject-of-ada',
    aud: CLIENT.id,
    iat: now,
    exp: now + LIFE_SECONDS,
    nonce,
    email: 'ada@example.com',
    email_verified: true,
    name: 'Ada',
    ...answer.claims,
  };
  return jwtOf(claims, (answer.forged === true ? keys.stranger : keys.honest).privateKey);
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

function rsaPair(): KeyPair {
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
