import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { picoText, startUpstream, until, type BillEntry, type Upstream } from './index.ts';
import { SPEAKER_NAMES, type SpeakerName } from './behaviour.ts';

type Json = Readonly<Record<string, unknown>>;

describe('the dialects of the scripted upstream', () => {
  let upstream: Upstream;

  before(async () => {
    upstream = await startUpstream();
  });
  after(() => upstream.close());

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${upstream.origin}${path}`, {
      method: 'POST',
      headers: { ...keys(), ...headers },
      body: JSON.stringify(body),
    });
  const keys = () => ({
    authorization: `Bearer ${upstream.apiKey}`,
    'x-goog-api-key': upstream.apiKey,
    'anthropic-version': '2023-06-01',
  });
  const refused = async (path: string, body: object, headers?: Record<string, string>) => {
    const answer = await post(path, body, headers);
    return [answer.status, await answer.json()] as const;
  };
  const lastBilled = async () => (await upstream.bill()).entries.at(-1);

  const MESSAGE = { model: 'claude-haiku-4-5', max_tokens: 50, messages: [{ role: 'user', content: 'hello' }] };
  const CONTENT = { contents: [{ parts: [{ text: 'hello' }] }] };
  const GENERATE = '/v1beta/models/gemini-2.5-flash:generateContent';

  test('Anthropic refuses unknown fields, metadata beyond user_id, and a missing limit, key or version', async () => {
    const message = async (extra: object, headers?: Record<string, string>) => {
      const [status, body] = await refused('/v1/messages', { ...MESSAGE, ...extra }, headers);
      const { error }: { error: { type: string; message: string } } = JSON.parse(JSON.stringify(body));
      return [status, error.type, error.message];
    };
    const wrong = 'invalid_request_error';
    assert.deepEqual(await message({ tags: {} }), [400, wrong, 'tags: Extra inputs are not permitted']);
    const metadata = { user_id: 'u', trace: 'x' };
    assert.deepEqual(await message({ metadata }), [400, wrong, 'metadata.trace: Extra inputs are not permitted']);
    assert.deepEqual(await message({ max_tokens: undefined }), [400, wrong, 'max_tokens: Field required']);
    assert.deepEqual(await message({ model: 'claude-9' }), [404, 'not_found_error', 'model: claude-9']);
    const key = { authorization: 'Bearer wrong' };
    assert.deepEqual(await message({}, key), [401, 'authentication_error', 'invalid x-api-key']);
    const version = { 'anthropic-version': '' };
    assert.equal((await message({}, version))[0], 400);
  });

  test('Gemini refuses unknown fields at both levels, and a wrong key with a 400', async () => {
    const [status, body] = await refused(GENERATE, { ...CONTENT, tags: {} });
    const message = 'Invalid JSON payload received. Unknown name "tags": Cannot find field.';
    assert.deepEqual([status, body], [400, { error: { code: 400, message, status: 'INVALID_ARGUMENT' } }]);
    const [inside] = await refused(GENERATE, { ...CONTENT, generationConfig: { max_output_tokens: 5, tags: 1 } });
    assert.equal(inside, 400);
    const snake = { ...CONTENT, generation_config: { max_output_tokens: 5 } };
    assert.equal((await post(GENERATE, snake)).status, 200);
    assert.equal((await refused(GENERATE, CONTENT, { 'x-goog-api-key': 'wrong' }))[0], 400);
    assert.equal((await refused('/v1beta/models/gemini-9:generateContent', CONTENT))[0], 404);
  });

  test('a Gemini stream without alt=sse is one JSON array in pieces', async () => {
    const path = GENERATE.replace('generate', 'streamGenerate');
    const answer = await post(path, CONTENT);
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=UTF-8');
    const chunks: { usageMetadata: { totalTokenCount: number } }[] = JSON.parse(await answer.text());
    const totals = chunks.map(({ usageMetadata }) => usageMetadata.totalTokenCount);
    assert.ok(chunks.length > 1);
    assert.deepEqual(
      totals,
      totals.toSorted((a, b) => a - b),
    );
  });

  test('each dialect fails in its own envelope, with retry-after when told', async () => {
    const text = 'error=429 retry_after=7';
    const answers = [
      await post('/v1/chat/completions', { model: 'gpt-4o', messages: [{ role: 'user', content: text }] }),
      await post('/v1/messages', { ...MESSAGE, messages: [{ role: 'user', content: text }] }),
      await post(GENERATE, { contents: [{ parts: [{ text }] }] }),
    ];
    const said: unknown[] = [];
    for (const answer of answers) {
      const { error }: { error: { type?: string; status?: string } } = JSON.parse(await answer.text());
      said.push([answer.status, answer.headers.get('retry-after'), error.type ?? error.status]);
    }
    assert.deepEqual(said, [
      [429, '7', 'rate_limit_error'],
      [429, '7', 'rate_limit_error'],
      [429, '7', 'RESOURCE_EXHAUSTED'],
    ]);
  });

  const STREAMS: readonly (readonly [string, (text: string) => Promise<Response>, RegExp])[] = [
    [
      'chat',
      (text) =>
        post('/v1/chat/completions', { model: 'gpt-4o', messages: [{ role: 'user', content: text }], stream: true }),
      /data: \{"error":\{"message":/,
    ],
    ['responses', (text) => post('/v1/responses', { model: 'gpt-4o', input: text, stream: true }), /event: error\n/],
    [
      'messages',
      (text) => post('/v1/messages', { ...MESSAGE, messages: [{ role: 'user', content: text }], stream: true }),
      /event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/,
    ],
    [
      'streamGenerateContent',
      (text) =>
        post('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', { contents: [{ parts: [{ text }] }] }),
      /data: \{"error":\{"code":503/,
    ],
  ];

  for (const [name, ask, error] of STREAMS) {
    test(`${name}: a stream fails at once, or in the middle, and is billed as told`, async () => {
      const earlier = (await upstream.bill()).entries.length;
      assert.match(await (await ask('seed=7 fault=error_first')).text(), error);
      assert.equal((await upstream.bill()).entries.length, earlier);
      const text = await (await ask('seed=7 fault=error_mid_stream bills_on_abort=partial')).text();
      assert.match(text, error);
      const whole = await (await ask('seed=7')).text();
      assert.ok(!error.test(whole) && whole.length > text.length);
      const [partial, full] = (await upstream.bill()).entries.slice(earlier);
      assert.ok(partial !== undefined && full !== undefined && partial.cost < full.cost);
      assert.deepEqual([partial.delivery, full.delivery], ['broken', 'complete']);
    });

    test(`${name}: a client that leaves is billed all, a part or nothing, as told`, async () => {
      const costs: Record<string, bigint> = {};
      for (const bills of ['full', 'partial', 'none'] as const) {
        const earlier = (await upstream.bill()).entries.length;
        const answer = await ask(`seed=8 chunk_delay=30 completion_tokens=100 bills_on_abort=${bills}`);
        const reader = answer.body?.getReader();
        await reader?.read();
        await reader?.cancel();
        const entry = await until('the upstream to notice', 5_000, async (): Promise<BillEntry | undefined> => {
          const last = (await upstream.bill()).entries.at(earlier);
          return last?.delivery === 'broken' ? last : undefined;
        });
        costs[bills] = entry.cost;
      }
      assert.equal(costs['none'], 0n);
      assert.ok(
        (costs['partial'] ?? 0n) < (costs['full'] ?? 0n),
        JSON.stringify(costs, (_, value) => String(value)),
      );
    });
  }

  test('stream_options are refused when told to, and by Mistral always', async () => {
    const ask = async (text: string) => {
      const body = { model: 'gpt-4o', messages: [{ role: 'user', content: text }], stream: true };
      return (await post('/v1/chat/completions', { ...body, stream_options: { include_usage: true } })).status;
    };
    assert.equal(await ask('hello'), 200);
    assert.equal(await ask('refuses=stream_options'), 400);
    assert.equal(await ask('speaks=mistral'), 422);
  });

  const chatUsage = async (text: string): Promise<readonly [Json, Headers]> => {
    const body = { model: 'grok-4.20', messages: [{ role: 'user', content: text }] };
    const answer = await post('/v1/chat/completions', body);
    const { usage }: { usage: Json } = JSON.parse(await answer.text());
    return [usage, answer.headers];
  };

  test('who states a cost states the one on the bill', async () => {
    const text = 'prompt_tokens=10120 cached_tokens=128 completion_tokens=4308 reasoning_tokens=2809 speaks=';
    const [xai] = await chatUsage(`${text}xai`);
    assert.equal(picoText((await lastBilled())?.cost ?? -1n), '0.023285600000');
    assert.deepEqual(
      [xai['cost_in_usd_ticks'], xai['completion_tokens'], xai['total_tokens']],
      [232856000, 1499, 14428],
    );
    const [openRouter] = await chatUsage(`${text}openrouter`);
    assert.deepEqual([openRouter['cost'], openRouter['is_byok']], [0.0232856, false]);
    const [byok] = await chatUsage(`${text}openrouter byok=1`);
    assert.deepEqual([byok['cost'], byok['cost_details']], [0, { upstream_inference_cost: 0.0232856 }]);
    const [, headers] = await chatUsage(`${text}litellm`);
    assert.equal(headers.get('x-litellm-response-cost'), '0.0232856');
  });

  for (const name of SPEAKER_NAMES) {
    test(`as ${name}, a stream says the same usage as an answer at once`, async (t) => {
      const speaks = await startUpstream({ speaks: name satisfies SpeakerName });
      t.after(() => speaks.close());
      const ask = async (extra: object) => {
        const body = {
          model: 'grok-4.20',
          messages: [{ role: 'user', content: 'seed=5 prompt_tokens=500 completion_tokens=60' }],
        };
        const headers = { authorization: `Bearer ${speaks.apiKey}` };
        const request = { method: 'POST', headers, body: JSON.stringify({ ...body, ...extra }) };
        return (await fetch(`${speaks.baseUrl}/chat/completions`, request)).text();
      };
      const { usage }: { usage: Json } = JSON.parse(await ask({}));
      const options = name === 'mistral' ? {} : { stream_options: { include_usage: true } };
      const payloads = (await ask({ stream: true, ...options }))
        .split('\n\n')
        .filter((one) => one.startsWith('data: {'));
      const said = payloads
        .map((one): { usage?: Json | null; x_groq?: { usage: Json } } => JSON.parse(one.slice('data: '.length)))
        .flatMap((chunk) => chunk.usage ?? chunk.x_groq?.usage ?? []);
      assert.deepEqual(said.at(-1), usage);
    });
  }
});
