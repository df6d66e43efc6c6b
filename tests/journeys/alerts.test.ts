import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { picoText, startGateway, startUpstream, until } from '#world';
import { send } from './attributed.ts';
import { recorded } from './record.ts';
import { ask, putBudget, standingOf } from './rules.ts';

const WAIT_MS = 90_000;

type Told = {
  readonly type: string;
  readonly data: { readonly rule: { readonly name: string }; readonly value: string; readonly threshold: string };
};

/** Takes every notification. */
async function openReceiver() {
  const received: Told[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push(JSON.parse(Buffer.concat(parts).toString()));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a call that takes a budget over its mark is told to a webhook, once', async (t) => {
  const receiver = await openReceiver();
  t.after(() => receiver.close());
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, env: { APPORTION_ALERTS_ALLOWED_HOSTS: '127.0.0.1' } });
  t.after(() => gateway.close());
  const post = (path: string, body: Readonly<Record<string, unknown>>) => ask(gateway, path, { method: 'POST', body });
  const call = async (): Promise<bigint> => {
    const body = {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'prompt_tokens=1000 cached_tokens=0 completion_tokens=100' }],
    };
    const answer = await send(gateway, { body, headers: { 'x-apportion-tags': 'customer=acme' } });
    assert.equal(answer.status, 200, answer.text);
    const entry = recorded(gateway.dataDir).find(({ callId }) => callId === answer.callId);
    return entry?.cost ?? assert.fail('the call has a cost');
  };
  const webhook = { kind: 'webhook', name: 'hook', url: receiver.url };
  // Waits for administration.
  const channels = [(await post('/v1/alerts/channels', webhook))['id']];
  const cost = await call();
  const scope = { 'tags.customer': { each: true } };
  const limit = { limit_usd: picoText(cost * 4n), mode: 'observe', thresholds: [50, 75] };
  await putBudget(gateway, { id: 'each', scope, ...limit });
  assert.equal((await standingOf(gateway, 'each')).spent, cost, 'what was spent before counts');
  await post('/v1/alerts/rules', { type: 'budget_threshold', name: 'half', percents: [50], channels });

  assert.equal(await call(), cost);
  await until('the notification', WAIT_MS, async () => (receiver.received.length > 0 ? true : undefined));
  // Beyond the mark already; and a new rule has all of them looked at once more, in the order they were made.
  assert.equal(await call(), cost);
  await post('/v1/alerts/rules', { type: 'budget_threshold', name: 'most', percents: [75], channels });
  await until('the notification of the next rule', WAIT_MS, async () =>
    receiver.received.some(({ data }) => data.rule.name === 'most') ? true : undefined,
  );
  assert.deepEqual(
    receiver.received.map(({ type, data }) => [type, data.rule.name, data.value, data.threshold]),
    [
      ['alert.firing', 'half', '["each","acme"]', 'actual 50%'],
      ['alert.firing', 'most', '["each","acme"]', 'actual 75%'],
    ],
  );
});
