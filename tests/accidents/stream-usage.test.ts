import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startWorld, type SpeakerName, type Upstream, type World } from '#world';
import { recorded, type Recorded } from '../journeys/record.ts';
import { ask, STREAM_ROUTES, type Answered } from './stream-routes.ts';

type Spoken = {
  readonly provider: SpeakerName;
  readonly model: string;
  /** How sure the cost is of an answer at once, and of a stream, whose headers leave before it is known. */
  readonly states: readonly [whole: string, stream: string];
  /** Groq does not cache this model's prompts, and has no price for it. */
  readonly cached?: number;
};

const EXACT = ['exact', 'exact'] as const;
const REPORTED = ['reported', 'reported'] as const;

const SPOKEN: readonly Spoken[] = [
  { provider: 'xai', model: 'grok-4.20', states: REPORTED },
  { provider: 'openrouter', model: 'openai/gpt-4o-mini', states: REPORTED },
  { provider: 'groq', model: 'llama-3.3-70b-versatile', states: EXACT, cached: 0 },
  { provider: 'mistral', model: 'mistral-large-2512', states: EXACT },
  { provider: 'deepseek', model: 'deepseek-v4-pro', states: EXACT },
  { provider: 'litellm', model: 'gpt-4o-mini', states: ['reported', 'exact'] },
  { provider: 'perplexity', model: 'sonar', states: REPORTED },
  { provider: 'vllm', model: 'qwen3-8b', states: EXACT },
  { provider: 'together', model: 'meta-llama/Llama-3.3-70B-Instruct-Turbo', states: EXACT },
  { provider: 'fireworks', model: 'accounts/fireworks/models/gpt-oss-120b', states: EXACT },
];

const perMillion = (amount: string) => ({ amount, per: 1_000_000 });

/** What only the operator knows: one's own machines, another gateway's models, and a price that changes by the hour. */
const OWN_PRICES = [
  { provider: 'vllm', model: 'qwen3-8b', input: '0.02', cached: '0.02', output: '0.04' },
  { provider: 'litellm', model: 'gpt-4o-mini', input: '0.15', cached: '0.075', output: '0.6' },
  { provider: 'deepseek', model: 'deepseek-v4-pro', input: '0.66', cached: '0.022', output: '1.98' },
].map(({ provider, model, input, cached, output }) => ({
  kind: 'price',
  id: `own/${provider}`,
  provider,
  model,
  rates: {
    input: perMillion(input),
    cache_read: perMillion(cached),
    output_text: perMillion(output),
    output_reasoning: perMillion(output),
  },
}));

const settings = ({ baseUrl, apiKey }: Upstream) => ({
  providers: Object.fromEntries(
    ['openai', ...SPOKEN.map(({ provider }) => provider)].map((name) => [name, { base_url: baseUrl, api_key: apiKey }]),
  ),
  prices: OWN_PRICES,
});

const FIXED = 'seed=31 prompt_tokens=2000 completion_tokens=200 reasoning_tokens=0';
const CACHED = 1024;

describe('usage in streams that did not ask for it', () => {
  let world: World;

  before(async () => {
    world = await startWorld({ providers: [], config: settings });
  });
  after(() => world.close());

  const entryOf = ({ callId }: Answered): Recorded => {
    const [entry, ...more] = recorded(world.gateway.dataDir).filter((one) => one.callId === callId);
    assert.ok(entry !== undefined && more.length === 0);
    return entry;
  };
  const billedFor = async ({ upstreamId }: Recorded) =>
    (await world.upstream.bill()).entries.find(({ id }) => id === upstreamId)?.cost;

  for (const route of STREAM_ROUTES.filter(({ provider }) => provider === 'openai')) {
    test(`B9: ${route.name}: a stream is metered as an answer at once, and shows no usage nobody asked for`, async () => {
      const given = { provider: 'openai' };
      const text = `${FIXED} cached_tokens=${CACHED}`;
      const whole = entryOf(await ask(world.gateway, route.request(text, { ...given, mode: 'whole' })));
      const answer = await ask(world.gateway, route.request(text, { ...given, mode: 'stream' }));
      const streamed = entryOf(answer);
      assert.deepEqual([streamed.meters, streamed.cost], [whole.meters, whole.cost]);
      assert.equal(streamed.cost, await billedFor(streamed));
      assert.equal(answer.text.includes('"usage":{'), route.name === 'responses');
    });
  }

  for (const { provider, model, states, cached = CACHED } of SPOKEN) {
    test(`B9: ${provider}: a stream costs what an answer at once costs, as its provider says it`, async () => {
      const body = (stream: object) => ({
        model: `${provider}/${model}`,
        messages: [{ role: 'user', content: `${FIXED} cached_tokens=${cached} speaks=${provider}` }],
        ...stream,
      });
      const path = '/v1/chat/completions';
      const entries: Recorded[] = [];
      for (const stream of [{}, { stream: true }]) {
        const answer = await ask(world.gateway, { path, body: body(stream) });
        assert.equal(answer.status, 200, answer.text);
        entries.push(entryOf(answer));
      }
      const [whole, streamed] = entries;
      assert.deepEqual([whole?.state, streamed?.state], states);
      assert.deepEqual(streamed?.meters, whole?.meters);
      assert.equal(streamed?.cost, whole?.cost);
      for (const entry of entries) {
        assert.equal(entry.cost, await billedFor(entry));
        // Where a cost is reported and our prices are the provider's, both say the same.
        if (entry.computedCost !== null && provider === 'xai') assert.equal(entry.computedCost, entry.cost);
      }
    });
  }

  test('B9: with an own key at OpenRouter, the cost is what the provider behind it charges', async () => {
    const messages = [{ role: 'user', content: `${FIXED} speaks=openrouter byok=1` }];
    const body = { model: 'openrouter/openai/gpt-4o-mini', messages, stream: true };
    const entry = entryOf(await ask(world.gateway, { path: '/v1/chat/completions', body }));
    assert.deepEqual([entry.state, entry.cost], ['reported', await billedFor(entry)]);
  });
});
