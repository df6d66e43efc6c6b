import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Session } from 'chdb';

/**
 * `up` serves; `down` cuts every connection; `mute` does what it is told and then cuts the connection, so that the other side
 * cannot know.
 */
type FrontMode = 'up' | 'down' | 'mute';

export type ClickHouseFront = {
  readonly url: string;
  mode: FrontMode;
  /** Resolves at the next request that was cut off. */
  nextCut(): Promise<void>;
  close(): Promise<void>;
};

/** A ClickHouse server as far as the store can tell: its HTTP interface, with the real engine behind it. */
export async function startClickHouseFront(path: string): Promise<ClickHouseFront> {
  const engine = new Session(path);
  let cut = Promise.withResolvers<void>();
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const sql = await bodyOf(request);
    const { mode } = front;
    const result = mode === 'down' ? null : await run(engine, sql);
    if (mode === 'up' && result !== null) {
      response
        .writeHead(result.ok ? 200 : 500, result.ok ? {} : { 'x-clickhouse-exception-code': '1' })
        .end(result.text);
      return;
    }
    request.socket.destroy();
    cut.resolve();
    cut = Promise.withResolvers();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: ClickHouseFront = {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    mode: 'up',
    nextCut: () => cut.promise,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      engine.close();
    },
  };
  return front;
}

async function run(engine: Session, sql: string): Promise<{ ok: boolean; text: string }> {
  try {
    const result = await engine.queryAsync(sql, { format: 'JSONEachRow' });
    return { ok: true, text: result.text() };
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
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
