import { createVerify, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { localCertificate } from './certificate.ts';

/** Who may sign in, in the three ways that clouds know. */
export type TokenRules = {
  /** Microsoft Entra: an application of a tenant. */
  readonly application?: { readonly tenant: string; readonly client: string; readonly secret: string };
  /** The header a managed identity proves itself with. */
  readonly identityHeader?: string;
  /** Google: the public key of a service account, and its e-mail. */
  readonly account?: { readonly email: string; readonly publicKey: string };
  /** How long tokens live. */
  readonly lifeSeconds?: number;
};

export type TokenEndpoint = {
  readonly url: string;
  /** A proxy whose every tunnel leads here, whatever it was opened for: for a client whose issuer has one address. */
  readonly proxyUrl: string;
  /** Every token that was given; other endpoints may give to the same set. */
  readonly tokens: Set<string>;
  /** The grants that were asked for, as they came. */
  readonly asked: readonly URLSearchParams[];
  /** From now on every request is refused with this status; 0 to serve again. */
  refuse(status: number): void;
  close(): Promise<void>;
};

const GOOGLE_HOST = 'oauth2.googleapis.com';

/** Where Microsoft's clients read what a tenant's addresses are. */
const DISCOVERY = '/v2.0/.well-known/openid-configuration';

/** A scripted issuer of tokens that checks every grant. */
export async function startTokenEndpoint(
  rules: TokenRules,
  { tls = false, tokens = new Set() }: { readonly tls?: boolean; readonly tokens?: Set<string> } = {},
): Promise<TokenEndpoint> {
  const asked: URLSearchParams[] = [];
  let refusal = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.split('?')[0] === `/${rules.application?.tenant ?? ''}${DISCOVERY}`) {
      const issuer = `${url}/${rules.application?.tenant ?? ''}`;
      const places = { token_endpoint: `${issuer}/oauth2/v2.0/token`, authorization_endpoint: `${issuer}/authorize` };
      sendJson(response, 200, { issuer: `${issuer}/v2.0`, jwks_uri: `${issuer}/keys`, ...places });
      return;
    }
    const grant = await readGrant(request);
    asked.push(grant);
    const fault = refusal === 0 ? faultOf(rules, { request, grant, url }) : 'temporarily_unavailable';
    if (fault !== null) {
      const status = refusal === 0 ? 400 : refusal;
      sendJson(response, status, { error: fault, error_description: `AADSTS0: ${fault}` });
      return;
    }
    sendJson(response, 200, issue(tokens, rules.lifeSeconds ?? 3_600));
  };
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: unknown) => response.writeHead(599).end(String(error)));
  };
  const server = tls ? createTlsServer(localCertificate(), serve) : createPlainServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy = await startTunnel(port);
  const url = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  return {
    url,
    proxyUrl: proxy.url,
    tokens,
    asked,
    refuse: (status) => {
      refusal = status;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await proxy.close();
    },
  };
}

function issue(tokens: Set<string>, lifeSeconds: number): object {
  const token = `token-${randomBytes(12).toString('hex')}`;
  tokens.add(token);
  const expiresOn = String(Math.floor(Date.now() / 1000) + lifeSeconds);
  return { token_type: 'Bearer', access_token: token, expires_in: lifeSeconds, expires_on: expiresOn };
}

async function startTunnel(port: number): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createPlainServer();
  const sockets = new Set<Duplex>();
  server.on('connect', (_request, socket) => {
    const there = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(there).pipe(socket);
    });
    for (const end of [socket, there]) {
      sockets.add(end);
      // A side that hangs up takes the other one with it.
      end.on('error', () => there.destroy()).on('close', () => socket.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function readGrant(request: IncomingMessage): Promise<URLSearchParams> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const query = new URL(request.url ?? '/', 'http://tokens').searchParams;
  return new URLSearchParams([...query, ...new URLSearchParams(Buffer.concat(parts).toString('utf8'))]);
}

type Asking = { readonly request: IncomingMessage; readonly grant: URLSearchParams; readonly url: string };

/** What is wrong with a request for a token, in the words of RFC 6749; null for nothing. */
function faultOf(rules: TokenRules, { request, grant, url }: Asking): string | null {
  const path = new URL(request.url ?? '/', url).pathname;
  const { application, identityHeader, account } = rules;
  if (application !== undefined && path === `/${application.tenant}/oauth2/v2.0/token`) {
    const { client, secret } = application;
    if (grant.get('grant_type') !== 'client_credentials') return 'unsupported_grant_type';
    return grant.get('client_id') === client && grant.get('client_secret') === secret ? null : 'invalid_client';
  }
  if (identityHeader !== undefined && path === '/msi/token') {
    return request.headers['x-identity-header'] === identityHeader ? null : 'invalid_client';
  }
  if (account !== undefined && path === '/token' && request.headers.host === GOOGLE_HOST)
    return jwtFault(account, grant);
  return 'invalid_request';
}

/** RFC 7523: a statement that the account signed itself, for this endpoint, and not for long. */
function jwtFault(
  { email, publicKey }: { readonly email: string; readonly publicKey: string },
  grant: URLSearchParams,
): string | null {
  if (grant.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return 'unsupported_grant_type';
  const [head = '', claims = '', signature = ''] = (grant.get('assertion') ?? '').split('.');
  const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
  if (!verify.verify(publicKey, Buffer.from(signature, 'base64url'))) return 'invalid_grant';
  const said: { iss?: string; aud?: string; scope?: string; iat?: number; exp?: number } = JSON.parse(
    Buffer.from(claims, 'base64url').toString('utf8'),
  );
  const now = Date.now() / 1000;
  const fresh = (said.iat ?? 0) <= now + 60 && (said.exp ?? 0) > now && (said.exp ?? 0) <= (said.iat ?? 0) + 3_600;
  const right =
    said.iss === email &&
    said.aud === `https://${GOOGLE_HOST}/token` &&
    said.scope?.endsWith('cloud-platform') === true;
  return right && fresh ? null : 'invalid_grant';
}

function sendJson(response: ServerResponse, status: number, answer: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}
