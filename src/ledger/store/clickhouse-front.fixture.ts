import { once } from 'node:events';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Session } from 'chdb';

/**
 * `up` serves; `down` cuts every connection; `mute` does what it is told and then cuts the connection, so that the other side
 * cannot know; `silent` does it too, and never answers; `twice` is a proxy that sends again what it was sent; `busy` and
 * `unavailable` are its pages with 429 and 503.
 */
export type FrontMode = 'up' | 'down' | 'mute' | 'silent' | 'twice' | 'busy' | 'unavailable';

export type FrontOptions = {
  readonly user?: string;
  readonly password?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Stays the same when a front is started again. */
  readonly port?: number;
  /** What the engine is told instead of a statement: for what only several servers understand. */
  readonly translate?: (sql: string) => string;
};

export type ClickHouseFront = {
  readonly url: string;
  mode: FrontMode;
  /** Resolves at the next request that was not served as it should be. */
  nextCut(): Promise<void>;
  /** Every statement that arrived, with the settings of its address. */
  readonly received: { readonly sql: string; readonly settings: URLSearchParams }[];
  /** Rows of a question put to the engine behind it. */
  rows(sql: string, database?: string): Promise<unknown[]>;
  close(): Promise<void>;
};

const PAGES: Partial<Record<FrontMode, number>> = { busy: 429, unavailable: 503 };

/** A ClickHouse server as far as the store can tell: its HTTP interface, with the real engine behind it. */
export async function startClickHouseFront(path: string, options: FrontOptions = {}): Promise<ClickHouseFront> {
  const engine = openDatabases(path);
  let cut = Promise.withResolvers<void>();
  const failed = (): void => {
    cut.resolve();
    cut = Promise.withResolvers();
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server = options.tls === undefined ? createPlain(listener) : createSecure(options.tls, listener);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sql = await bodyOf(request);
    const settings = new URL(request.url ?? '/', 'http://front').searchParams;
    front.received.push({ sql: sql.slice(0, 4000), settings });
    const { mode } = front;
    const page = PAGES[mode];
    if (page !== undefined) {
      response.writeHead(page, { 'content-type': 'text/html' }).end('<html>no upstream is free</html>');
      return failed();
    }
    if (mode === 'down') {
      request.socket.destroy();
      return failed();
    }
    if (!mayEnter(request, options)) return void response.writeHead(403).end(REFUSED);
    const told = options.translate?.(sql) ?? sql;
    const result = await engine.run(told, settings.get('database') ?? 'default');
    if (mode === 'twice') await engine.run(told, settings.get('database') ?? 'default');
    if (mode === 'mute') request.socket.destroy();
    else if (mode !== 'silent')
      response
        .writeHead(result.ok ? 200 : 500, result.ok ? {} : { 'x-clickhouse-exception-code': '1' })
        .end(result.text);
    if (mode !== 'up') failed();
  };
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const front: ClickHouseFront = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${portOf(server.address())}`,
    mode: 'up',
    nextCut: () => cut.promise,
    received: [],
    async rows(sql, database = 'default') {
      const { text } = await engine.run(sql, database);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): unknown => JSON.parse(line));
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await engine.close();
    },
  };
  return front;
}

const REFUSED =
  'Code: 516. DB::Exception: somebody: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)';

/** Over TLS the client has its own headers for it. */
function mayEnter({ headers }: IncomingMessage, { user = 'default', password = '' }: FrontOptions): boolean {
  if (headers['x-clickhouse-user'] === user && headers['x-clickhouse-key'] === password) return true;
  return headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

type Result = { readonly ok: boolean; readonly text: string };

type Databases = { run(sql: string, database: string): Promise<Result>; close(): Promise<void> };

/** A line to the engine for each database; what ends a query goes by one of its own. */
function openDatabases(path: string): Databases {
  const lines = new Map<string, Promise<Session>>();
  const open = async (name: string, database: string): Promise<Session> => {
    const session = new Session(path);
    try {
      await session.queryAsync(`USE \`${database}\``);
      return session;
    } catch (error) {
      session.close();
      lines.delete(name);
      throw error;
    }
  };
  const lineOf = (database: string, isKill: boolean): Promise<Session> => {
    const name = `${database} ${isKill}`;
    const line = lines.get(name) ?? open(name, database);
    lines.set(name, line);
    return line;
  };
  return {
    async run(sql, database) {
      try {
        const session = await lineOf(database, sql.startsWith('KILL'));
        const result = await session.queryAsync(sql, { format: 'JSONEachRow' });
        return { ok: true, text: result.text() };
      } catch (error) {
        return { ok: false, text: error instanceof Error ? error.message : String(error) };
      }
    },
    async close() {
      for (const line of lines.values()) await line.then((session) => session.close()).catch(() => undefined);
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the front listens on no port');
}
