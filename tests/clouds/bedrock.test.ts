import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { AWS_IDENTITY, behaviourText, OWN_PROFILE, startGateway, startUpstream, until } from '#world';
import type { Behaviour, Gateway, Upstream } from '#world';
import { recorded } from '../journeys/record.ts';
import { failing, written } from './recording.ts';

const KEY_VARIABLE = 'BEDROCK_KEY_OF_THE_TESTS';
const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
const TOKENS: Behaviour = { seed: 3, prompt_tokens: 1_000, completion_tokens: 200 };

describe('Amazon Bedrock', () => {
  let upstream: Upstream;
  let gateway: Gateway;
  let aws: BedrockRuntimeClient;
  let anthropic: Anthropic;

  before(async () => {
    upstream = await startUpstream();
    const bedrock = { preset: 'bedrock', base_url: upstream.origin, region: AWS_IDENTITY.region };
    gateway = await startGateway({
      env: {
        [KEY_VARIABLE]: upstream.apiKey,
        AWS_ACCESS_KEY_ID: AWS_IDENTITY.accessKeyId,
        AWS_SECRET_ACCESS_KEY: AWS_IDENTITY.secretAccessKey,
      },
      config: {
        providers: {
          signed: { ...bedrock, deployments: { [OWN_PROFILE]: `us.${SONNET}` } },
          keyed: { ...bedrock, api_key_env: KEY_VARIABLE },
          elsewhere: { ...bedrock, region: 'eu-west-1' },
          unknown: { ...bedrock, sign_in: { profile: 'nobody' } },
        },
      },
    });
    aws = new BedrockRuntimeClient({
      endpoint: gateway.url,
      region: 'us-east-1',
      token: { token: gateway.adminKey },
      authSchemePreference: ['httpBearerAuth'],
      maxAttempts: 1,
      // The client speaks HTTP/2 to Bedrock unless it is told not to; plain HTTP/2 is nothing that proxies know.
      requestHandler: new NodeHttpHandler(),
    });
    anthropic = new Anthropic({ apiKey: gateway.adminKey, baseURL: gateway.url, maxRetries: 0 });
  });
  after(async () => {
    aws.destroy();
    await gateway.close();
    await upstream.close();
  });

  const user = (text: string) => [{ role: 'user' as const, content: [{ text }] }];
  const lastBilled = async () => (await upstream.bill()).entries.at(-1);

  for (const provider of ['signed', 'keyed']) {
    for (const model of [`us.${SONNET}`, 'amazon.nova-lite-v1:0', 'meta.llama3-3-70b-instruct-v1:0']) {
      test(`${provider}: AWS's own client converses with ${model}, streamed or not, at what Bedrock bills`, async () => {
        const modelId = `${provider}/${model}`;
        const whole = await written(gateway, () =>
          aws.send(new ConverseCommand({ modelId, messages: user('seed=3') })),
        );
        const billed = await lastBilled();
        assert.equal(whole.answer.usage?.inputTokens, billed?.usage['input']);
        assert.ok(whole.answer.output?.message?.content?.[0]?.text);
        assert.deepEqual(
          whole.entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
          [[billed?.cost, 'exact', billed?.id]],
        );

        const streamed = await written(gateway, async () => {
          const { stream } = await aws.send(new ConverseStreamCommand({ modelId, messages: user('seed=4') }));
          const events: string[] = [];
          for await (const event of stream ?? []) events.push(Object.keys(event).join(''));
          return events;
        });
        assert.deepEqual([streamed.answer[0], streamed.answer.at(-1)], ['messageStart', 'metadata']);
        const last = await lastBilled();
        assert.deepEqual(
          streamed.entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
          [[last?.cost, 'exact', last?.id]],
        );
      });
    }
  }

  test('A21: the global profile, a regional one and a bare id are three ids with their own prices', async () => {
    const cost = async (model: string): Promise<bigint> => {
      const messages = user(behaviourText(TOKENS));
      const { entries } = await written(gateway, () =>
        aws.send(new ConverseCommand({ modelId: `signed/${model}`, messages })),
      );
      const [entry] = entries;
      assert.ok(entry !== undefined && entry.cost !== null);
      assert.equal(entry.cost, (await lastBilled())?.cost);
      return entry.cost;
    };
    const global = await cost(`global.${SONNET}`);
    for (const model of [`us.${SONNET}`, `eu.${SONNET}`, `apac.${SONNET}`, SONNET])
      assert.equal((await cost(model)) * 10n, global * 11n, model);
    const profile = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${SONNET}`;
    assert.equal((await cost(profile)) * 10n, global * 11n);
    assert.equal((await cost(OWN_PROFILE)) * 10n, global * 11n);
  });

  test('a profile of the account’s own that nobody mapped is unpriced, not guessed', async () => {
    const { entries } = await written(gateway, () =>
      aws.send(new ConverseCommand({ modelId: `keyed/${OWN_PROFILE}`, messages: user('seed=3') })),
    );
    assert.deepEqual(
      entries.map(({ cost, state }) => [cost, state]),
      [[null, 'unpriced']],
    );
  });

  test("AWS's own client invokes Claude, and other makers' models, streamed or not", async () => {
    const bodies = {
      [`us.${SONNET}`]: {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: 300,
        messages: [{ role: 'user', content: 'seed=5' }],
      },
      'meta.llama3-3-70b-instruct-v1:0': { prompt: 'seed=6' },
    };
    for (const [model, body] of Object.entries(bodies)) {
      const input = { modelId: `signed/${model}`, contentType: 'application/json', body: JSON.stringify(body) };
      const { answer, entries } = await written(gateway, async () => {
        const whole = await aws.send(new InvokeModelCommand(input));
        const { body: stream } = await aws.send(new InvokeModelWithResponseStreamCommand(input));
        let chunks = 0;
        for await (const event of stream ?? []) if (event.chunk !== undefined) chunks += 1;
        return { whole: JSON.parse(whole.body.transformToString()) as object, chunks };
      });
      assert.ok(Object.keys(answer.whole).length > 0 && answer.chunks > 1);
      const bill = (await upstream.bill()).entries.slice(-2);
      assert.deepEqual(
        entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
        bill.map(({ cost, id }) => [cost, 'exact', id]),
      );
    }
  });

  test("Anthropic's own client speaks to Claude at Bedrock as if it were at home", async () => {
    const request = {
      model: `signed/us.${SONNET}`,
      max_tokens: 300,
      metadata: { user_id: 'u-1' },
      messages: [{ role: 'user' as const, content: 'seed=7' }],
    };
    const { answer, entries } = await written(gateway, async () => {
      const whole = await anthropic.messages.create(request, {
        headers: { 'anthropic-beta': 'context-1m-2025-08-07' },
      });
      const stream = await anthropic.messages.stream(request).finalMessage();
      return { whole, stream };
    });
    assert.equal(answer.whole.stop_reason, 'end_turn');
    assert.equal(answer.stream.stop_reason, 'end_turn');
    const bill = (await upstream.bill()).entries.slice(-2);
    assert.deepEqual(
      entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
      bill.map(({ cost, id }) => [cost, 'exact', id]),
    );
    const sent = (await upstream.received()).at(-2);
    assert.deepEqual(JSON.parse(sent?.body ?? ''), {
      anthropic_version: 'bedrock-2023-05-31',
      anthropic_beta: ['context-1m-2025-08-07'],
      max_tokens: 300,
      metadata: { user_id: 'u-1' },
      messages: [{ role: 'user', content: 'seed=7' }],
    });
  });

  test('writes to the five-minute and the one-hour cache cost what Bedrock bills', async () => {
    const text = behaviourText({
      seed: 8,
      prompt_tokens: 5_000,
      cached_tokens: 1_024,
      cache_write_5m_tokens: 700,
      cache_write_1h_tokens: 300,
    });
    const { entries } = await written(gateway, () =>
      anthropic.messages.create({
        model: `signed/us.${SONNET}`,
        max_tokens: 100,
        system: [{ type: 'text', text: 'long', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        messages: [{ role: 'user', content: text }],
      }),
    );
    const [entry] = entries;
    assert.equal(entry?.meters['cache_write_1h'], 300);
    assert.deepEqual([entry?.cost, entry?.state], [(await lastBilled())?.cost, 'exact']);
  });

  test('errors are AWS exceptions to its client, and Anthropic errors to Anthropic’s', async () => {
    const throttled = behaviourText({ error: 429 });
    const exception = await failing(() =>
      aws.send(new ConverseCommand({ modelId: `signed/us.${SONNET}`, messages: user(throttled) })),
    );
    assert.ok(exception instanceof BedrockRuntimeServiceException);
    assert.deepEqual([exception.name, exception.$metadata.httpStatusCode], ['ThrottlingException', 429]);
    const error = await failing(() =>
      anthropic.messages.create({
        model: `signed/us.${SONNET}`,
        max_tokens: 10,
        messages: [{ role: 'user', content: throttled }],
      }),
    );
    assert.ok(error instanceof Anthropic.RateLimitError);
    assert.match(error.message, /The upstream was told to fail/);

    const keyless = await fetch(`${gateway.url}/model/${encodeURIComponent(`signed/${SONNET}`)}/converse`, {
      method: 'POST',
      body: JSON.stringify({ messages: user('a') }),
    });
    assert.equal(keyless.status, 401);
    assert.partialDeepStrictEqual(await keyless.json(), {
      __type: 'AccessDeniedException',
      apportion: { code: 'missing_key' },
    });
  });

  test('a signature for another region is refused by Bedrock, credentials that are not there by us: neither is billed', async () => {
    const billed = (await upstream.bill()).entries.length;
    const { answer, entries } = await written(gateway, async () => {
      const refused = await failing(() =>
        aws.send(new ConverseCommand({ modelId: `elsewhere/${SONNET}`, messages: user('a') })),
      );
      const unsigned = await failing(() =>
        aws.send(new ConverseCommand({ modelId: `unknown/${SONNET}`, messages: user('a') })),
      );
      return [refused, unsigned];
    });
    for (const error of answer) {
      assert.ok(error instanceof BedrockRuntimeServiceException);
      assert.equal(error.$metadata.httpStatusCode, 502);
    }
    assert.deepEqual(
      entries.map(({ cost, errorCode }) => [cost, errorCode]),
      [
        [0n, 'http_403'],
        [0n, 'sign_in_failed'],
      ],
    );
    assert.equal((await upstream.bill()).entries.length, billed);
  });

  test('an exception in the middle of a stream reaches either client, and what was written is estimated', async () => {
    const text = behaviourText({ seed: 9, fault: 'error_mid_stream' });
    const earlier = recorded(gateway.dataDir).length;
    const { answer } = await written(gateway, async () => {
      const converse = await failing(async () => {
        const { stream } = await aws.send(
          new ConverseStreamCommand({ modelId: `signed/us.${SONNET}`, messages: user(text) }),
        );
        for await (const event of stream ?? []) assert.ok(event);
      });
      const messages = await failing(() =>
        anthropic.messages
          .stream({ model: `signed/us.${SONNET}`, max_tokens: 300, messages: [{ role: 'user', content: text }] })
          .finalMessage(),
      );
      return { converse, messages };
    });
    assert.ok(answer.converse instanceof Error && answer.converse.name === 'ThrottlingException');
    assert.ok(answer.messages instanceof Anthropic.APIError);
    // Both clients stop reading at the exception, before the end that waits for the entry.
    const entries = await until('both entries', 60_000, async () => {
      const found = recorded(gateway.dataDir).slice(earlier);
      return found.length === 2 ? found : undefined;
    });
    assert.deepEqual(
      entries.map(({ status, errorCode, state }) => [status, errorCode, state]),
      [
        ['upstream_error', 'error_in_answer', 'estimated'],
        ['upstream_error', 'error_in_answer', 'partial_exact'],
      ],
    );
  });

  test('B4: a stream that the client leaves is read to its usage, as Bedrock bills the whole', async () => {
    const text = behaviourText({ seed: 10, chunk_delay: 40, bytes: 400_000 });
    const earlier = recorded(gateway.dataDir).length;
    const leaving = new AbortController();
    const { stream } = await aws.send(
      new ConverseStreamCommand({ modelId: `signed/us.${SONNET}`, messages: user(text) }),
      { abortSignal: leaving.signal },
    );
    await failing(async () => {
      for await (const event of stream ?? []) if (event.contentBlockDelta !== undefined) leaving.abort();
    });
    const entry = await until('the entry of the call', 60_000, async () => recorded(gateway.dataDir)[earlier]);
    assert.deepEqual([entry.status, entry.cost, entry.state], ['client_closed', (await lastBilled())?.cost, 'exact']);
  });
});
