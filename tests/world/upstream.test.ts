import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import {
  driveLoad,
  pico,
  picoText,
  planCalls,
  startUpstream,
  startUpstreamProcess,
  totalOf,
  until,
  type Upstream,
} from './index.ts';

describe('the scripted upstream', () => {
  let upstream: Upstream;
  let client: OpenAI;
  const ask = (text: string) => ({ model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: text }] });
  const post = (body: string, headers: Record<string, string> = { authorization: `Bearer ${upstream.apiKey}` }) =>
    fetch(`${upstream.baseUrl}/chat/completions`, { method: 'POST', headers, body });

  before(async () => {
    upstream = await startUpstream();
    client = new OpenAI({ apiKey: upstream.apiKey, baseURL: upstream.baseUrl, maxRetries: 0 });
  });
  after(() => upstream.close());

  test('the bill prices cached tokens apart and reasoning tokens inside the output', async () => {
    const text = 'prompt_tokens=2000 cached_tokens=1024 completion_tokens=300 reasoning_tokens=120';
    const answer = await client.chat.completions.create({ ...ask(text), model: 'o3' });
    assert.deepEqual(answer.usage, {
      prompt_tokens: 2000,
      completion_tokens: 300,
      total_tokens: 2300,
      prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 120,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    });
    const billed = (await upstream.bill()).entries.find((entry) => entry.id === answer.id);
    assert.equal(picoText(billed?.cost ?? -1n), '0.004864000000');
  });

  test('a legacy completion has its own id, shape and prices, streamed too', async () => {
    const request = { model: 'gpt-3.5-turbo-instruct', prompt: 'prompt_tokens=100 completion_tokens=16' };
    const answer = await client.completions.create(request);
    assert.match(answer.id, /^cmpl-/);
    assert.deepEqual([answer.object, answer.choices.length], ['text_completion', 1]);
    assert.deepEqual(answer.usage, { prompt_tokens: 100, completion_tokens: 16, total_tokens: 116 });
    const asked = { ...request, stream: true as const, stream_options: { include_usage: true } };
    let last: OpenAI.Completion | undefined;
    for await (const chunk of await client.completions.create(asked)) last = chunk;
    assert.deepEqual([last?.choices, last?.usage], [[], answer.usage]);
    const { entries } = await upstream.bill();
    const costs = [answer.id, last?.id].map((id) => picoText(entries.find((entry) => entry.id === id)?.cost ?? -1n));
    assert.deepEqual(costs, ['0.000182000000', '0.000182000000']);
  });

  test('embeddings come as base64 or numbers, without an id, and are billed under the id of their request', async () => {
    const { data, response } = await client.embeddings
      .create({ model: 'text-embedding-3-small', input: ['a', 'prompt_tokens=500 seed=4'] })
      .withResponse();
    assert.deepEqual([data.object, data.data.length, data.data[1]?.embedding.length], ['list', 2, 1536]);
    assert.deepEqual(data.usage, { prompt_tokens: 500, total_tokens: 500 });
    assert.ok(!('id' in data));
    const id = response.headers.get('x-request-id');
    const billed = (await upstream.bill()).entries.find((entry) => entry.id === id);
    assert.equal(picoText(billed?.cost ?? -1n), '0.000010000000');
    const input = { model: 'text-embedding-3-small', input: 'seed=4 prompt_tokens=500', dimensions: 4 };
    const numbers = await client.embeddings.create({ ...input, encoding_format: 'float' });
    assert.deepEqual(
      numbers.data[0]?.embedding.map(Math.fround),
      (await client.embeddings.create(input)).data[0]?.embedding,
    );
  });

  test('each route refuses the models and the fields of the others', async () => {
    const input = { model: 'gpt-4o-mini', input: 'hello' };
    await assert.rejects(client.embeddings.create(input), { status: 404 });
    const metadata = { model: 'text-embedding-3-small', input: 'hello', metadata: { trace: 'x' } };
    await assert.rejects(client.embeddings.create(metadata), { status: 400, param: 'metadata' });
    const tags = { model: 'gpt-3.5-turbo-instruct', prompt: 'hello', tags: ['a'] };
    await assert.rejects(client.completions.create(tags), { status: 400, param: 'tags' });
    await assert.rejects(client.chat.completions.create({ ...ask('hello'), model: 'gpt-3.5-turbo-instruct' }), {
      status: 404,
    });
  });

  test('a stream carries usage only when asked: null on every chunk, then one chunk without choices', async () => {
    const chunksOf = async (extra: object) => {
      const text = await (await post(JSON.stringify({ ...ask('seed=3'), stream: true, ...extra }))).text();
      const payloads = text.split('\n\n').filter((event) => event !== '');
      assert.equal(payloads.at(-1), 'data: [DONE]');
      return payloads
        .slice(0, -1)
        .map((event): { usage?: object | null; choices: object[] } => JSON.parse(event.slice(6)));
    };
    const plain = await chunksOf({});
    assert.ok(plain.every((chunk) => !('usage' in chunk) && chunk.choices.length === 1));
    const asked = await chunksOf({ stream_options: { include_usage: true } });
    assert.equal(asked.length, plain.length + 1);
    assert.ok(asked.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1));
    assert.deepEqual(asked.at(-1)?.choices, []);
    assert.equal(typeof asked.at(-1)?.usage, 'object');
  });

  test('what OpenAI refuses is refused: unknown fields, metadata that is not strings, keys, models', async () => {
    const refused = async (extra: object) => {
      const answer = await post(JSON.stringify({ ...ask('hello'), ...extra }));
      const { error }: { error: { code: string; param: string } } = JSON.parse(await answer.text());
      return [answer.status, error.code, error.param];
    };
    assert.deepEqual(await refused({ tags: { a: 'b' } }), [400, 'unknown_parameter', 'tags']);
    assert.deepEqual(await refused({ entity_type: 'customer' }), [400, 'unknown_parameter', 'entity_type']);
    assert.deepEqual(await refused({ metadata: { tags: ['a'] } }), [400, 'invalid_type', 'metadata.tags']);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']));
    assert.deepEqual(await refused({ metadata: many }), [400, 'object_above_max_properties', 'metadata']);
    assert.deepEqual(await refused({ model: 'gpt-9' }), [404, 'model_not_found', null]);
    assert.equal((await post(JSON.stringify(ask('hello')), {})).status, 401);
    assert.equal((await post('{"model":')).status, 400);
  });

  test('however the bytes are cut, the client reads the same answer', async () => {
    const read = async (framing: string) => {
      const stream = await client.chat.completions.create({ ...ask(`seed=11 ${framing}`), stream: true });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    };
    const plain = await read('');
    assert.ok(plain.length > 0);
    for (const framing of ['framing=crlf', 'framing=odd_bytes', 'framing=coalesced'])
      assert.equal(await read(framing), plain);
  });

  test('scripted faults reach the client as faults, and the bill says what was not delivered', async () => {
    const earlier = (await upstream.bill()).entries.length;
    await assert.rejects(client.chat.completions.create(ask('error=429')), { status: 429 });
    await assert.rejects(client.chat.completions.create(ask('fault=reset_before_headers')));
    assert.equal((await upstream.bill()).entries.length, earlier);
    await assert.rejects(client.chat.completions.create(ask('fault=reset_after_headers')));
    const stream = await client.chat.completions.create({ ...ask('fault=cut_mid_stream seed=2'), stream: true });
    await assert.rejects(async () => {
      for await (const chunk of stream) assert.ok(chunk.id);
    });
    const faulty = await until('both connections to be closed', 5_000, async () => {
      const entries = (await upstream.bill()).entries.slice(earlier);
      return entries.some((entry) => entry.delivery === 'running') ? undefined : entries;
    });
    assert.deepEqual(
      faulty.map((entry) => entry.delivery),
      ['broken', 'broken'],
    );
  });

  test('a misspelt behaviour is an error, not a silent ordinary answer', async () => {
    await assert.rejects(client.chat.completions.create(ask('falt=never_answer')), { status: 599 });
  });

  test('a script treats the next requests only', async () => {
    await upstream.script({ error: 500 }, 1);
    await assert.rejects(client.chat.completions.create(ask('hello')), { status: 500 });
    assert.ok((await client.chat.completions.create(ask('hello'))).id);
  });
});

test('in a process of its own the upstream bills the same plan to the same amount', async () => {
  const bills: bigint[] = [];
  for (const start of [startUpstream, startUpstreamProcess]) {
    const upstream = await start();
    const url = upstream.baseUrl.replace(/\/v1$/, '');
    const calls = [...planCalls({ count: 40, seed: 5 })].map((call) => ({ ...call, fields: {} }));
    const outcomes = await driveLoad({ calls, concurrency: 8, target: async () => ({ url, key: upstream.apiKey }) });
    assert.deepEqual([...new Set(outcomes.map((outcome) => outcome.error))], ['']);
    assert.ok(outcomes.every((outcome) => outcome.acknowledged));
    const { entries, total } = await upstream.bill();
    assert.deepEqual(new Set(entries.map((entry) => entry.id)), new Set(outcomes.map((outcome) => outcome.upstreamId)));
    assert.equal(totalOf(entries), total);
    bills.push(total);
    await upstream.close();
  }
  assert.equal(bills[0], bills[1]);
});

test('an amount reads back as it was written', () => {
  assert.equal(pico('0.000123'), 123_000_000n);
  assert.equal(pico('12'), 12_000_000_000_000n);
  assert.equal(picoText(pico('3.000000000001')), '3.000000000001');
  assert.throws(() => pico('1e-7'));
});
