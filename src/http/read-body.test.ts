import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ApportionError } from '#terms';
import { ClientGoneError, readBody, sendError } from './index.ts';

type Outcome = { readonly bytes: number } | { readonly error: unknown };

/** A server that reads each body under these limits, answers its length, and tells the test how reading ended. */
async function startServer(t: TestContext, limits: { limitBytes: number; timeoutMs: number }) {
  const outcomes: Outcome[] = [];
  let tell: (() => void) | undefined;
  const server = createServer((request, response) => {
    readBody(request, limits).then(
      (body) => {
        outcomes.push({ bytes: body.length });
        response.end(String(body.length));
        tell?.();
      },
      (error: unknown) => {
        outcomes.push({ error });
        if (error instanceof ApportionError) sendError(response, error);
        tell?.();
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const outcome = async (): Promise<Outcome | undefined> => {
    if (outcomes.length === 0) await new Promise<void>((resolve) => (tell = resolve));
    return outcomes.shift();
  };
  return { port, outcome };
}

async function answerOf(port: number, body: Buffer, chunked = false): Promise<{ status: number; text: string }> {
  const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length };
  const sent = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers });
  sent.end(body);
  const [[answer]] = (await Promise.all([once(sent, 'response'), once(sent, 'finish')])) as [
    [IncomingMessage],
    unknown,
  ];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode ?? 0, text };
}

function codeOf(outcome: Outcome | undefined): string | undefined {
  return outcome !== undefined && 'error' in outcome && outcome.error instanceof ApportionError
    ? outcome.error.code
    : undefined;
}

async function rawText(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test('a body up to the limit is read whole, announced or chunked, and none at all is empty', async (t) => {
  const { port } = await startServer(t, { limitBytes: 1024 * 1024, timeoutMs: 5_000 });
  for (const bytes of [0, 1, 1024 * 1024]) {
    assert.deepEqual(await answerOf(port, Buffer.alloc(bytes)), { status: 200, text: String(bytes) });
    assert.deepEqual(await answerOf(port, Buffer.alloc(bytes), true), { status: 200, text: String(bytes) });
  }
});

test('an announced body over the limit is refused before any of it arrives', async (t) => {
  const { port } = await startServer(t, { limitBytes: 100, timeoutMs: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 101\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = first.toString();
  assert.match(text, /^HTTP\/1\.1 413 /);
  assert.match(text, /x-apportion-error: body_too_large/);
  assert.match(text, /"code":"body_too_large"/);
});

test('a chunked body is refused at the first byte over the limit, and the answer reaches a client that still sends', async (t) => {
  const { port, outcome } = await startServer(t, { limitBytes: 100_000, timeoutMs: 60_000 });
  const answer = await answerOf(port, Buffer.alloc(8 * 1024 * 1024), true);
  assert.equal(answer.status, 413);
  assert.equal(codeOf(await outcome()), 'body_too_large');
});

test('an announced body far over the limit is refused although the client sends all of it', async (t) => {
  const { port } = await startServer(t, { limitBytes: 100_000, timeoutMs: 60_000 });
  assert.equal((await answerOf(port, Buffer.alloc(8 * 1024 * 1024))).status, 413);
});

test('a body that stops arriving is refused after its time, and the connection is closed', async (t) => {
  const { port } = await startServer(t, { limitBytes: 100, timeoutMs: 30 });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
  assert.match(await rawText(socket), /^HTTP\/1\.1 408 [\s\S]*"code":"body_timeout"/);
});

test('a client that goes away in the middle is told apart from one that does wrong', async (t) => {
  const { port, outcome } = await startServer(t, { limitBytes: 100, timeoutMs: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc', () => socket.destroy());
  const end = await outcome();
  assert.ok(end !== undefined && 'error' in end && end.error instanceof ClientGoneError, JSON.stringify(end));
});

test('after a refused body was drained, the same connection carries the next request', async (t) => {
  const { port } = await startServer(t, { limitBytes: 10, timeoutMs: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n${'a'.repeat(20)}`);
  const [refused] = (await once(socket, 'data')) as [Buffer];
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab');
  assert.match(refused.toString(), /^HTTP\/1\.1 413 /);
  assert.match(await rawText(socket), /^HTTP\/1\.1 200 [\s\S]*2$/);
});
