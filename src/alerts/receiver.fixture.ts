import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly url: string;
};

/** A receiver of notifications that does with each request what it is told to. */
export type Receiver = {
  readonly url: string;
  /** Every request whose body arrived, in order. */
  readonly received: readonly Received[];
  /** What it does with requests from now on. */
  behave(answer: (response: ServerResponse) => void): void;
  /** Resolves when so many requests have arrived in all. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
};

export const ok = (response: ServerResponse): void => void response.writeHead(200).end('thanks');

export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let behaviour = ok;
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString(), url: request.url ?? '' });
      behaviour(response);
      for (const { count, resolve } of waiting) if (received.length >= count) resolve();
      waiting = waiting.filter(({ count }) => received.length < count);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    behave: (answer) => {
      behaviour = answer;
    },
    until: (count) =>
      received.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push({ count, resolve });
          }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
