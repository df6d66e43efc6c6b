import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { startGateway, startUpstream, type Gateway, type Upstream } from '#world';
import { recorded, report, whenStored } from './record.ts';

const MAX_BODY_BYTES = 2_000_000;

type Envelope = { message: string; type: string; param: string | null; code: string | null; hint?: string | null };

describe('what goes wrong is answered in an OpenAI envelope', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  before(async () => {
    upstream = await startUpstream({
      // A price the upstream knows and the price book does not.
      models: { 'acme-mystery-1': { snapshot: 'acme-mystery-1', input: 1n, cached: 1n, output: 1n, reasons: false } },
    });
    gateway = await startGateway({
      upstream,
      env: {
        APPORTION_MAX_BODY_BYTES: String(MAX_BODY_BYTES),
        APPORTION_FIRST_BYTE_TIMEOUT_MS: '1000',
        APPORTION_IDLE_TIMEOUT_MS: '1000',
      },
    });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const post = async (
    body: string,
    headers: Record<string, string> = { authorization: `Bearer ${gateway.adminKey}` },
  ) => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text };
  };
  const call = (text: string, extra: object = {}): string =>
    JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: text }],
      max_completion_tokens: 50,
      ...extra,
    });
  const refused = async (body: string, headers?: Record<string, string>) => {
    const { status, text } = await post(body, headers);
    const { error }: { error: Envelope } = JSON.parse(text);
    return { status, error };
  };
  const lastEntry = () => recorded(gateway.dataDir).at(-1);

  test('no key and a wrong key are a 401 with a hint, and nothing reaches the upstream', async () => {
    const earlier = (await upstream.received()).length;
    for (const [headers, code] of [
      [{}, 'missing_key'],
      [{ authorization: 'Bearer sk-ap-wrong' }, 'invalid_key'],
    ] as const) {
      const { status, error } = await refused(call('hello'), headers);
      assert.deepEqual([status, error.type, error.code], [401, 'authentication_error', code]);
      assert.ok(error.hint);
    }
    assert.equal((await upstream.received()).length, earlier);
  });

  test('a body that is not JSON is a 400 that says where', async () => {
    const { status, error } = await refused('{"model":"gpt-4o","messages":[');
    assert.deepEqual([status, error.code], [400, 'body_not_json']);
    assert.ok(error.hint);
  });

  test('a field that is there twice is refused, as the provider might read the other one', async () => {
    const { status, error } = await refused('{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}');
    assert.deepEqual([status, error.code, error.param], [400, 'duplicate_field', 'model']);
  });

  test('a model the provider does not have is the provider’s own 404, and costs nothing', async () => {
    const { status, error } = await refused(call('hello', { model: 'gpt-99' }));
    assert.deepEqual([status, error.code], [404, 'model_not_found']);
    assert.deepEqual([lastEntry()?.status, lastEntry()?.state, lastEntry()?.cost], ['upstream_error', 'exact', 0n]);
  });

  test('a tag that is no tag is a 400 that names the field', async () => {
    const { status, error } = await refused(call('hello', { metadata: { tags: ['ok', ['nested']] } }));
    assert.deepEqual([status, error.code, error.param], [400, 'invalid_tag', 'metadata.tags[1]']);
  });

  test('a body of 1 MB passes, one over the limit is a 413', async () => {
    const big = await post(call('x'.repeat(1_000_000)));
    assert.equal(big.status, 200);
    const { status, error } = await refused(call('x'.repeat(MAX_BODY_BYTES)));
    assert.deepEqual([status, error.code], [413, 'body_too_large']);
  });

  test('an error of the upstream reaches the caller as it is, and costs nothing', async () => {
    for (const status of [400, 429, 500]) {
      const answer = await refused(call(`error=${status}`));
      assert.equal(answer.status, status);
      assert.equal(answer.error.message, 'The upstream was told to fail.');
      assert.deepEqual([lastEntry()?.status, lastEntry()?.cost], ['upstream_error', 0n]);
    }
  });

  test('an upstream that hangs up before it answers is a 502, and the ledger says that money may be lost', async () => {
    const { status, error } = await refused(call('fault=reset_before_headers'));
    assert.deepEqual([status, error.type, error.code], [502, 'api_error', 'upstream_broken']);
    assert.ok(error.hint);
    const entry = lastEntry();
    assert.deepEqual([entry?.status, entry?.state, entry?.cost], ['upstream_broken', 'in_doubt', null]);
    assert.ok((entry?.atRisk ?? 0n) > 0n);
  });

  test('an upstream that never answers is a 504 within the time limit', async () => {
    const { status, error } = await refused(call('fault=never_answer'));
    assert.deepEqual([status, error.code], [504, 'upstream_timeout']);
    assert.ok(error.hint);
    assert.deepEqual([lastEntry()?.status, lastEntry()?.state], ['upstream_timeout', 'in_doubt']);
  });

  test('a JSON answer that breaks off is a 502, never half an answer', async () => {
    const { status, error } = await refused(call('fault=cut_mid_stream'));
    assert.deepEqual([status, error.code], [502, 'upstream_broken']);
    assert.equal(lastEntry()?.state, 'in_doubt');
  });

  test('a stream that breaks off raises an error in the client, and what was delivered is estimated, never free', async () => {
    for (const fault of ['cut_mid_stream', 'stall_mid_stream']) {
      const client = new OpenAI({ apiKey: gateway.adminKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
      const stream = await client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: `seed=4 fault=${fault}` }],
        stream: true,
      });
      await assert.rejects(async () => {
        for await (const chunk of stream) assert.ok(chunk.id);
      });
      const entry = lastEntry();
      assert.equal(entry?.state, 'estimated');
      assert.ok((entry?.cost ?? 0n) > 0n);
    }
  });

  test('an answer without usage is estimated, never free', async () => {
    const { status, headers } = await post(call('seed=6 usage=none'));
    assert.equal(status, 200);
    assert.equal(headers.get('x-apportion-cost-state'), 'estimated');
    assert.ok((lastEntry()?.cost ?? 0n) > 0n);
  });

  test('a model without a price is unpriced: no cost header, no zero, and the report counts it', async () => {
    const { status, headers } = await post(call('seed=5', { model: 'acme-mystery-1' }));
    assert.equal(status, 200);
    assert.equal(headers.get('x-apportion-cost-state'), 'unpriced');
    assert.equal(headers.get('x-apportion-cost'), null);
    assert.equal(headers.get('x-litellm-response-cost'), null);
    assert.deepEqual([lastEntry()?.state, lastEntry()?.cost], ['unpriced', null]);
    await whenStored(gateway);
    const { summary } = await report(gateway, { model: 'acme-mystery-1' });
    assert.equal(summary.unpriced_events, 1);
    assert.equal(summary.total_events, 1);
  });

  test('an answer of 20 MB passes whole', async () => {
    const { status, text } = await post(call('bytes=20000000 seed=1'));
    assert.equal(status, 200);
    const answer: OpenAI.ChatCompletion = JSON.parse(text);
    assert.equal(answer.choices[0]?.message.content?.length, 20_000_000);
    const billed = (await upstream.bill()).entries.find((entry) => entry.id === answer.id);
    assert.deepEqual([lastEntry()?.state, lastEntry()?.cost], ['exact', billed?.cost]);
  });

  test('an upstream that cannot be reached is a 502 that may be tried again, and costs nothing', async () => {
    await upstream.close();
    const { status, error } = await refused(call('hello'));
    assert.deepEqual([status, error.code], [502, 'upstream_unreachable']);
    assert.ok(error.hint);
    assert.deepEqual([lastEntry()?.status, lastEntry()?.cost], ['upstream_unreachable', 0n]);
    upstream = await startUpstream();
  });
});

test('with the sandbox alone an unknown model is a 404 that says what to do', async (t) => {
  const gateway = await startGateway();
  t.after(() => gateway.close());
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}` },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
  });
  const { error }: { error: Envelope } = JSON.parse(await answer.text());
  assert.deepEqual([answer.status, error.code, error.param], [404, 'model_not_found', 'model']);
  assert.match(error.hint ?? '', /sandbox-mini/);
});
