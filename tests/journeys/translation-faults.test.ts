import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApiError } from '@google/genai';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ALL_PROVIDERS, makeClients, pico, startWorld, until, type Clients, type Upstream, type World } from '#world';
import { recorded, report, whenStored, type Recorded } from './record.ts';

const PAIRS = [
  ['openai', 'claude-haiku-4-5'],
  ['openai', 'gemini-2.5-flash'],
  ['anthropic', 'gpt-4o-mini'],
  ['anthropic', 'gemini-2.5-flash'],
  ['gemini', 'gpt-4o-mini'],
  ['gemini', 'claude-haiku-4-5'],
] as const;

type Asked = { readonly model: string; readonly text: string; readonly stream: boolean };

/** Reads an answer to its end, whichever client asks. */
const ASK: Readonly<Record<keyof Clients, (clients: Clients, asked: Asked) => Promise<void>>> = {
  async openai({ openai }, { model, text, stream }) {
    const body = { model, messages: [{ role: 'user' as const, content: text }], max_completion_tokens: 200 };
    if (stream) await drain(await openai.chat.completions.create({ ...body, stream }));
    else await openai.chat.completions.create(body);
  },
  async anthropic({ anthropic }, { model, text, stream }) {
    const body = { model, messages: [{ role: 'user' as const, content: text }], max_tokens: 200 };
    if (stream) await anthropic.messages.stream(body).finalMessage();
    else await anthropic.messages.create(body);
  },
  async gemini({ gemini }, { model, text, stream }) {
    const body = { model, contents: text, config: { maxOutputTokens: 200 } };
    if (stream) await drain(await gemini.models.generateContentStream(body));
    else await gemini.models.generateContent(body);
  },
};

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const event of stream) if (event === undefined) throw new Error('an event is something');
}

const RAW: Readonly<Record<keyof Clients, (model: string, text: string) => { path: string; body: object }>> = {
  openai: (model, content) => ({
    path: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content }] },
  }),
  anthropic: (model, content) => ({
    path: '/v1/messages',
    body: { model, max_tokens: 9, messages: [{ role: 'user', content }] },
  }),
  gemini: (model, text) => ({
    path: `/v1beta/models/${model}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text }] }] },
  }),
};

/** The status that a client's own error has. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof OpenAI.APIError || error instanceof Anthropic.APIError || error instanceof ApiError)
    return error.status;
  throw error;
}

const FALLBACKS = {
  models: {
    mixed: { deployments: [{ model: 'openai/gpt-4o-mini' }], fallbacks: ['anthropic/claude-haiku-4-5'] },
    'claude-first': { deployments: [{ model: 'anthropic/claude-haiku-4-5' }], fallbacks: ['openai/gpt-4o-mini'] },
  },
  retries: { max_attempts: 3, backoff_ms: 10, max_backoff_ms: 50 },
};

describe('what goes wrong on the way between dialects', () => {
  let world: World;
  let upstream: Upstream;

  before(async () => {
    world = await startWorld({ providers: ALL_PROVIDERS, config: () => FALLBACKS });
    upstream = world.upstream;
  });
  after(() => world.close());

  const clients = (): Clients => makeClients({ url: world.gateway.url, key: world.gateway.adminKey });
  const last = (): Recorded => {
    const entry = recorded(world.gateway.dataDir).at(-1);
    assert.ok(entry !== undefined);
    return entry;
  };

  /** What a call leaves; an error reaches its caller before the ledger has it. */
  const entryOf = async (call: () => Promise<unknown>): Promise<Recorded> => {
    const earlier = recorded(world.gateway.dataDir).length;
    await call();
    return until('its entry', 60_000, async () => recorded(world.gateway.dataDir)[earlier]);
  };

  for (const [caller, model] of PAIRS) {
    for (const stream of [false, true])
      test(`${caller} → ${model}${stream ? ', streamed' : ''}: the provider's refusals keep their status, in the caller's words`, async () => {
        for (const status of [400, 404, 429, 500]) {
          const text = `seed=3 error=${status}`;
          await assert.rejects(ASK[caller](clients(), { model, text, stream }), (error) => {
            assert.equal(statusOf(error), status);
            assert.match(String(error), /The upstream was told to fail/);
            return true;
          });
          assert.deepEqual([last().errorCode, last().cost, last().state], [`http_${status}`, 0n, 'exact']);
        }
      });

    test(`${caller} → ${model}: an error in the midst of a stream is one for the caller, and is billed for what came`, async () => {
      const text = 'seed=3 fault=error_mid_stream';
      const entry = await entryOf(() => assert.rejects(ASK[caller](clients(), { model, text, stream: true })));
      assert.deepEqual([entry.status, entry.errorCode], ['upstream_error', 'error_in_answer']);
      assert.notEqual(entry.cost, 0n);
    });

    test(`${caller} → ${model}: a stream that is cut is no whole answer, and costs what came`, async () => {
      const text = 'seed=3 fault=cut_mid_stream';
      const entry = await entryOf(() => assert.rejects(ASK[caller](clients(), { model, text, stream: true })));
      assert.equal(entry.status, 'upstream_broken');
      assert.notEqual(entry.cost, 0n);
    });

    test(`${caller} → ${model}: a page in HTML, or half a JSON, is told as what it is`, async () => {
      for (const fault of ['wrong_content_type', 'broken_json']) {
        const { url, adminKey } = world.gateway;
        const { path, body } = RAW[caller](model, `seed=3 fault=${fault}`);
        const answer = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        assert.match(await answer.text(), /is no JSON/);
      }
    });
  }

  test('a caller who leaves a translated stream pays for what was delivered', async () => {
    const aborted = new AbortController();
    const entry = await entryOf(async () => {
      const stream = await clients().openai.chat.completions.create(
        {
          model: 'claude-haiku-4-5',
          messages: [{ role: 'user', content: 'seed=5 chunk_delay=30 completion_tokens=200' }],
          stream: true,
        },
        { signal: aborted.signal },
      );
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.next();
      aborted.abort();
    });
    assert.equal(entry.status, 'client_closed');
    assert.ok(entry.cost !== null && entry.cost > 0n);
  });

  const chat = async (body: object): Promise<Response> =>
    fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'seed=9' }], ...body }),
    });

  test('what cannot be translated is refused before anything is sent, naming the field', async () => {
    const earlier = (await upstream.received()).length;
    const answer = await chat({ model: 'claude-haiku-4-5', seed: 7 });
    const { error }: { error: { param: string; code: string; message: string } } = JSON.parse(await answer.text());
    assert.deepEqual([answer.status, error.param, error.code], [400, 'seed', 'invalid_field']);
    assert.match(error.message, /Anthropic knows no seed/);
    assert.equal((await upstream.received()).length, earlier);
  });

  test('a fallback that a request cannot be translated for does not hide what the provider said', async () => {
    await upstream.script({ error: 404 }, 1);
    const answer = await chat({ model: 'mixed', seed: 7 });
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /The upstream was told to fail/);
    assert.deepEqual([last().provider, last().countsCall], ['openai', true]);
  });

  test('one that it can be translated for takes over, and both attempts are recorded', async () => {
    await upstream.script({ error: 404 }, 1);
    const answer = await chat({ model: 'mixed' });
    assert.equal(answer.status, 200);
    assert.deepEqual([last().provider, last().cause, last().attempt], ['anthropic', 'fallback', 2]);
  });

  test('a first deployment that cannot be asked is passed over', async () => {
    const answer = await chat({ model: 'claude-first', seed: 7 });
    assert.equal(answer.status, 200);
    assert.deepEqual([last().provider, last().attempt, last().countsCall], ['openai', 1, true]);
  });

  test('headers of one dialect are not sent to another, and tags count on either side', async () => {
    await clients().anthropic.messages.create(
      { model: 'gpt-4o-mini', max_tokens: 20, messages: [{ role: 'user', content: 'seed=11' }] },
      { headers: { 'anthropic-beta': 'x-2025', 'x-apportion-tags': 'team=growth' } },
    );
    const received = (await upstream.received()).at(-1);
    assert.deepEqual(
      Object.keys(received?.headers ?? {}).filter((name) => name.startsWith('anthropic')),
      [],
    );
    assert.deepEqual([last().tags, last().provider], [{ team: 'growth' }, 'openai']);
  });

  test('the bill of what was answered is the ledger', async () => {
    await whenStored(world.gateway);
    const { entries } = await upstream.bill();
    const answered = recorded(world.gateway.dataDir).filter(({ status }) => status === 'ok');
    const billed = new Map(entries.map(({ id, cost }) => [id, cost]));
    for (const { upstreamId, cost } of answered) if (billed.has(upstreamId)) assert.equal(cost, billed.get(upstreamId));
    const { summary } = await report(world.gateway);
    assert.ok(pico(summary.total_cost_exact) > 0n);
  });
});
