import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ApportionError } from '#terms';
import { sendError } from './index.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an error is answered in the OpenAI envelope with code, hint, length and code header', async (t) => {
  const error = new ApportionError('invalid_tag', 'The tag "x" is wrong.', {
    hint: 'Mend it.',
    param: 'metadata.tags[2]',
  });
  const url = await serve(t, (_request, response) =>
    sendError(response, error, { headers: { 'x-apportion-call-id': 'call_1' } }),
  );
  const answer = await fetch(url);
  const text = await answer.text();
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get('content-length'), String(Buffer.byteLength(text)));
  assert.equal(answer.headers.get('x-apportion-error'), 'invalid_tag');
  assert.equal(answer.headers.get('x-apportion-call-id'), 'call_1');
  assert.deepEqual(JSON.parse(text), {
    error: {
      message: 'The tag "x" is wrong. Mend it.',
      type: 'invalid_request_error',
      param: 'metadata.tags[2]',
      code: 'invalid_tag',
      hint: 'Mend it.',
    },
  });
});

test('a missing key asks for a bearer token', async (t) => {
  const url = await serve(t, (_request, response) => sendError(response, new ApportionError('missing_key', 'No key.')));
  assert.equal((await fetch(url)).headers.get('www-authenticate'), 'Bearer');
});

test('an answer that has begun is cut, so that no client takes it for whole', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => sendError(response, new ApportionError('internal_error', 'Late.')));
  });
  const answer = await fetch(url);
  await assert.rejects(answer.text());
});
