import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

/**
 * The yardstick: the gateway's own ingredients (`node:http`, `undici`, the request parsed once) and nothing else. No key
 * is checked, nothing is priced or recorded. What the gateway loses against this is what accounting costs.
 */
const upstream = new Pool(process.argv[2] ?? '', {
  connections: 256,
  pipelining: 1,
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
});

const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => relay(request, response, Buffer.concat(parts)));
});

function relay(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const fields: { model?: unknown } = JSON.parse(body.toString());
  if (typeof fields.model !== 'string') {
    response.writeHead(400).end();
    return;
  }
  const options: Dispatcher.DispatchOptions = {
    path: request.url ?? '/',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-upstream' },
    body,
  };
  upstream.dispatch(options, {
    onRequestStart() {},
    onResponseStart(_controller, status, headers) {
      response.writeHead(status, passedOn(headers));
    },
    onResponseData(_controller, chunk) {
      response.write(chunk);
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError() {
      response.destroy();
    },
  });
}

function passedOn(headers: Record<string, string | string[] | undefined>): Record<string, string | string[]> {
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && name !== 'connection' && name !== 'keep-alive' && name !== 'transfer-encoding')
      passed[name] = value;
  }
  return passed;
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ url: `http://127.0.0.1:${address.port}` });
});
process.once('disconnect', () => process.exit(0));
