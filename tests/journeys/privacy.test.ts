import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driveLoad, planCalls, startGateway, startUpstream } from '#world';

const OURS = [
  'entity_type',
  'entity_id',
  'session_id',
  'request_tags',
  'tags',
  'litellm_metadata',
  'litellm_session_id',
];

test('none of our fields, keys or headers reaches the upstream, and what is the provider’s does', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream });
  t.after(() => gateway.close());
  const outcomes = await driveLoad({
    calls: planCalls({ count: 100, seed: 12 }),
    concurrency: 10,
    target: async () => ({ url: gateway.url, key: gateway.adminKey }),
  });
  // The upstream refuses unknown fields, so an answered call is half of the proof already.
  assert.deepEqual(new Set(outcomes.map(({ error }) => error)), new Set(['']));

  const received = await upstream.received();
  assert.equal(received.length, 100);
  for (const { headers, body } of received) {
    const fields: Record<string, unknown> = JSON.parse(body);
    for (const name of OURS) assert.ok(!(name in fields), `${name} in ${body}`);
    assert.equal(headers['authorization'], `Bearer ${upstream.apiKey}`);
    assert.ok(!JSON.stringify(headers).includes(gateway.adminKey));
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('x-apportion')),
      [],
    );
  }
  const sentByLiteLlm = received.filter(({ body }) => body.includes('"trace"'));
  assert.ok(sentByLiteLlm.length > 0);
  for (const { body } of sentByLiteLlm) {
    const { metadata }: { metadata: unknown } = JSON.parse(body);
    assert.deepEqual(metadata, { trace: 'kept' });
  }
  const sentByNemo = received.filter(({ body }) => body.includes('"user":"u-1"'));
  assert.ok(sentByNemo.length > 0);
  for (const { body } of sentByNemo) assert.ok(!body.includes('"metadata"'));
});
