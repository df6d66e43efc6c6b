import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { AWS_IDENTITY, makeClients, startGateway, startUpstream, VERTEX_PROJECT } from '#world';
import type { Clients, Gateway, Upstream } from '#world';
import { failing, written } from './recording.ts';

const KEY_VARIABLE = 'CLOUD_KEY_OF_THE_TESTS';

/** A route to each cloud's models, so that every client can name it. */
const ROUTES: Readonly<Record<string, string>> = {
  'azure-gpt': 'azure/prod-chat',
  'bedrock-claude': 'bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'bedrock-nova': 'bedrock/us.amazon.nova-pro-v1:0',
  'bedrock-llama': 'bedrock/meta.llama3-3-70b-instruct-v1:0',
  'vertex-gemini': 'vertex/gemini-2.5-flash',
  'cohere-command': 'cohere/command-a-03-2025',
  'vertex-claude': 'vertex/claude-haiku-4-5@20251001',
};

type Delivery = 'whole' | 'streamed';

/** One call by each official client: the text that came back. */
const CALLS: Readonly<Record<string, (clients: Clients, model: string, delivery: Delivery) => Promise<string>>> = {
  async openai({ openai }, model, delivery) {
    const request = { model, max_tokens: 400, messages: [{ role: 'user' as const, content: 'seed=3' }] };
    if (delivery === 'whole') return (await openai.chat.completions.create(request)).choices[0]?.message.content ?? '';
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ ...request, stream: true }))
      text += chunk.choices[0]?.delta.content ?? '';
    return text;
  },
  async responses({ openai }, model, delivery) {
    const request = { model, max_output_tokens: 400, input: 'seed=3' };
    if (delivery === 'whole') return (await openai.responses.create(request)).output_text;
    let text = '';
    for await (const event of await openai.responses.create({ ...request, stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta;
    return text;
  },
  async anthropic({ anthropic }, model, delivery) {
    const request = { model, max_tokens: 400, messages: [{ role: 'user' as const, content: 'seed=3' }] };
    const message =
      delivery === 'whole'
        ? await anthropic.messages.create(request)
        : await anthropic.messages.stream(request).finalMessage();
    return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  },
  async gemini({ gemini }, model, delivery) {
    if (delivery === 'whole') return (await gemini.models.generateContent({ model, contents: 'seed=3' })).text ?? '';
    let text = '';
    for await (const part of await gemini.models.generateContentStream({ model, contents: 'seed=3' }))
      text += part.text ?? '';
    return text;
  },
};

describe('any client to any cloud', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  let clients: Clients;

  before(async () => {
    upstream = await startUpstream();
    const keyed = { base_url: upstream.origin, api_key_env: KEY_VARIABLE };
    gateway = await startGateway({
      env: {
        [KEY_VARIABLE]: upstream.apiKey,
        AWS_ACCESS_KEY_ID: AWS_IDENTITY.accessKeyId,
        AWS_SECRET_ACCESS_KEY: AWS_IDENTITY.secretAccessKey,
      },
      config: {
        providers: {
          azure: { ...keyed, deployments: { 'prod-chat': 'gpt-4o-mini' } },
          bedrock: { base_url: upstream.origin, region: AWS_IDENTITY.region },
          vertex: { ...keyed, project: VERTEX_PROJECT },
          cohere: keyed,
        },
        models: ROUTES,
      },
    });
    clients = makeClients({ url: gateway.url, key: gateway.adminKey });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  for (const model of Object.keys(ROUTES)) {
    for (const [client, call] of Object.entries(CALLS)) {
      test(`${client} → ${model}: streamed or not, the cost is the bill`, async () => {
        const { answer, entries } = await written(gateway, async () => [
          await call(clients, model, 'whole'),
          await call(clients, model, 'streamed'),
        ]);
        assert.ok(answer.every((text) => text !== ''));
        const bill = (await upstream.bill()).entries.slice(-2);
        assert.deepEqual(
          entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
          bill.map(({ cost, id }) => [cost, 'exact', id]),
        );
      });
    }
  }

  test('what a cloud has no word for is a 400 that names the field, and nothing is sent', async () => {
    const sent = (await upstream.received()).length;
    const error = await failing(() =>
      clients.openai.chat.completions.create({
        model: 'bedrock-nova',
        seed: 1,
        messages: [{ role: 'user', content: 'hello' }],
      }),
    );
    assert.ok(error instanceof OpenAI.BadRequestError && error.param === 'seed');
    assert.equal((await upstream.received()).length, sent);
  });

  test('an exception in the middle of Bedrock’s stream is an error of the caller’s', async () => {
    const error = await failing(async () => {
      const stream = await clients.openai.chat.completions.create({
        model: 'bedrock-nova',
        stream: true,
        messages: [{ role: 'user', content: 'seed=4 fault=error_mid_stream' }],
      });
      for await (const chunk of stream) assert.ok(chunk);
    });
    assert.ok(error instanceof OpenAI.APIError);
    assert.match(error.message, /Too many tokens/);
  });
});
