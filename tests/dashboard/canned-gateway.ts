import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { costsAnswer, dimensionsAnswer, eventAnswer, eventsAnswer, timeseriesAnswer } from './canned-answers.ts';
import type { CannedCall } from './canned-ledger.ts';

const DIST = join(import.meta.dirname, '../../dashboard/dist');

/** What a dashboard test needs to know of a gateway, be it the canned one or a real one. */
export type DashboardTarget = { readonly url: string; readonly adminKey: string };

export type CannedGateway = DashboardTarget & {
  /** Adds a call to the ledger, as if it had just been made. */
  record(call: CannedCall): void;
  /** Answers the analytics API with 503 until told otherwise. */
  breakAnalytics(broken: 'broken' | 'mended'): void;
  close(): Promise<void>;
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The strictest policy the dashboard must live with. Styles are inline where a width or a colour is data. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

export async function startCannedGateway(initial: readonly CannedCall[]): Promise<CannedGateway> {
  let calls = initial;
  let broken = false;
  const adminKey = 'sk-ap-admin-canned';
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://canned');
    if (url.pathname === '/ui/session') return session(request, response, adminKey);
    if (!url.pathname.startsWith('/v1/')) return file(url.pathname, response);
    if (!signedIn(request)) return refuse(response, { status: 401, message: 'Sign in first.' });
    if (broken) return refuse(response, { status: 503, message: 'The ledger is restarting.' });
    const found = analytics(calls, url);
    if (found === undefined) return refuse(response, { status: 404, message: `There is no event "${url.pathname}".` });
    json(response, 200, found);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    adminKey,
    record: (call) => {
      calls = [call, ...calls];
    },
    breakAnalytics: (state) => {
      broken = state === 'broken';
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function analytics(calls: readonly CannedCall[], url: URL): object | undefined {
  switch (url.pathname) {
    case '/v1/analytics/costs':
      return costsAnswer(calls, url.searchParams);
    case '/v1/analytics/costs/timeseries':
      return timeseriesAnswer(calls, url.searchParams);
    case '/v1/analytics/dimensions':
      return dimensionsAnswer(calls);
    case '/v1/events':
      return eventsAnswer(calls, url.searchParams);
    default: {
      const id = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
      const call = calls.find((each) => id === each.id || id.startsWith(`${each.id}.`));
      return call === undefined ? undefined : eventAnswer(call);
    }
  }
}

async function session(request: IncomingMessage, response: ServerResponse, adminKey: string): Promise<void> {
  if (request.method === 'GET') return json(response, 200, signedIn(request) ? SIGNED_IN : { authenticated: false });
  if (request.method === 'DELETE') {
    response.setHeader('set-cookie', 'apportion_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0');
    return json(response, 200, { authenticated: false });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
  const key = typeof body === 'object' && body !== null && 'key' in body ? body.key : undefined;
  if (key !== adminKey) return refuse(response, { status: 401, message: 'This is not the admin key.' });
  response.setHeader('set-cookie', 'apportion_session=yes; HttpOnly; SameSite=Strict; Path=/');
  json(response, 200, SIGNED_IN);
}

const SIGNED_IN = {
  authenticated: true,
  user: {
    id: 'admin',
    name: 'Administrator',
    email: null,
    role: 'owner',
    teams: [],
    rights: ['reports', 'prices.read', 'tags.write', 'money.write'],
  },
};

function signedIn(request: IncomingMessage): boolean {
  return (request.headers.cookie ?? '').includes('apportion_session=yes');
}

/** Files of the build; every other path is the single page. */
async function file(path: string, response: ServerResponse): Promise<void> {
  const name = extname(path) === '' ? 'index.html' : path;
  const body = await readFile(join(DIST, name));
  response.writeHead(200, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  });
  response.end(body);
}

function refuse(response: ServerResponse, { status, message }: { status: number; message: string }): void {
  json(response, status, { error: { message, type: 'api_error', param: null, code: 'canned', hint: null } });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on a port');
  return address.port;
}
