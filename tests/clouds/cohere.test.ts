import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { behaviourText, startGateway, startUpstream, type Behaviour, type Gateway, type Upstream } from '#world';
import { written } from './recording.ts';

const MODEL = 'command-a-03-2025';

describe('Cohere', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  before(async () => {
    upstream = await startUpstream();
    gateway = await startGateway({ env: { CO_API_KEY: upstream.apiKey, COHERE_BASE_URL: upstream.origin } });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, cost: answer.headers.get('x-apportion-cost'), text: await answer.text() };
  };
  const chat = (behaviour: Behaviour, more: object = {}) =>
    post('/v2/chat', { model: MODEL, messages: [{ role: 'user', content: behaviourText(behaviour) }], ...more });
  const lastBilled = async () => (await upstream.bill()).entries.at(-1);
  const assertExact = async (entries: Awaited<ReturnType<typeof written>>['entries']): Promise<void> => {
    const billed = await lastBilled();
    assert.deepEqual(
      entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
      [[billed?.cost, 'exact', billed?.id]],
    );
  };

  test('a chat costs what was billed, not what the model saw, and our fields stay here', async () => {
    const { answer, entries } = await written(gateway, () =>
      post(
        '/v2/chat',
        { model: MODEL, messages: [{ role: 'user', content: 'seed=3' }], max_tokens: 300, tags: { feature: 'search' } },
        { 'x-apportion-tags': 'team=growth' },
      ),
    );
    assert.equal(answer.status, 200);
    await assertExact(entries);
    assert.deepEqual({ ...entries[0]?.tags }, { feature: 'search', team: 'growth' });
    assert.notEqual(entries[0]?.reserved, null);
  });

  test('a stream ends with the cost before its last event, however it is cut', async () => {
    for (const framing of [undefined, 'odd_bytes', 'coalesced', 'crlf'] as const) {
      const behaviour: Behaviour = framing === undefined ? { seed: 4 } : { seed: 4, framing };
      const { answer, entries } = await written(gateway, () => chat(behaviour, { stream: true }));
      await assertExact(entries);
      assert.match(answer.text, /: apportion-cost [\d.]+ exact\r?\n\r?\nevent: message-end/);
    }
  });

  test('embeddings by their tokens, rankings by searches of a hundred documents', async () => {
    const vectors = await written(gateway, () =>
      post('/v2/embed', { model: 'embed-v4.0', texts: ['one', 'two'], input_type: 'search_query' }),
    );
    await assertExact(vectors.entries);
    const documents = Array.from({ length: 150 }, (_, index) => `document ${index}`);
    const ranked = await written(gateway, () =>
      post('/v2/rerank', { model: 'rerank-v3.5', query: 'which', documents }),
    );
    await assertExact(ranked.entries);
    assert.deepEqual({ ...ranked.entries[0]?.meters }, { search_unit: 2 });
  });

  test('a stream that breaks off, fails, or says nothing of its usage is estimated, never free', async () => {
    for (const behaviour of [
      { seed: 5, fault: 'cut_mid_stream' },
      { seed: 5, fault: 'error_mid_stream' },
      { seed: 5, usage: 'none' },
    ] as const) {
      const { entries } = await written(gateway, () => chat(behaviour, { stream: true }).catch(() => null));
      assert.deepEqual(
        entries.map(({ state, cost }) => [state, (cost ?? 0n) > 0n]),
        [['estimated', true]],
      );
    }
  });

  test('errors are Cohere’s, and ours have its shape', async () => {
    const { answer } = await written(gateway, () => chat({ error: 429 }));
    assert.equal(answer.status, 429);
    assert.match(answer.text, /The upstream was told to fail/);
    const keyless = await post('/v2/chat', { model: MODEL }, { authorization: 'Bearer sk-ap-nobody' });
    assert.deepEqual([keyless.status, Object.keys(JSON.parse(keyless.text) as object)[0]], [401, 'message']);
  });
});
