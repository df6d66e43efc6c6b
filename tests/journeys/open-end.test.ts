import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { startGateway } from '#world';

const EVENTS = [
  '{"id":"chatcmpl-open","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"hi"}}],"usage":null}',
  '{"id":"chatcmpl-open","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5}}',
  '[DONE]',
];

/** Says [DONE] and leaves the connection open, as some servers behind proxies do. */
async function startOpenEnded(t: TestContext): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(EVENTS.map((event) => `data: ${event}\n\n`).join(''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/v1`;
}

test('a stream that is done ends for the caller although the provider leaves its connection open', async (t) => {
  const baseUrl = await startOpenEnded(t);
  const gateway = await startGateway({ upstream: { baseUrl, apiKey: 'sk-upstream' } });
  t.after(() => gateway.close());
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  });
  const text = await response.text();
  assert.match(text, /: apportion-cost 0\.00002 exact\n\ndata: \[DONE\]\n\n$/);
});
