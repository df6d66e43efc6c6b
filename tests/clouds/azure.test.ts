import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI, { AzureOpenAI } from 'openai';
import { FILTERED, localCertificate, startGateway, startTokenEndpoint, startUpstream } from '#world';
import type { Gateway, TokenEndpoint, Upstream } from '#world';
import { recorded, type Recorded } from '../journeys/record.ts';

const APPLICATION = { tenant: 'a-tenant', client: 'an-application', secret: 'a-secret-of-the-tests' };
const IDENTITY_HEADER = 'an-identity-header';
const KEY_VARIABLE = 'AZURE_KEY_OF_THE_TESTS';
const SECRET_VARIABLE = 'AZURE_SECRET_OF_THE_TESTS';

const DEPLOYMENTS = {
  'prod-chat': 'gpt-4o-mini',
  'prod-reasoning': 'gpt-5-mini',
  'prod-embed': 'text-embedding-3-small',
};

describe('Azure OpenAI', () => {
  let upstream: Upstream;
  let entra: TokenEndpoint;
  let machine: TokenEndpoint;
  let gateway: Gateway;

  before(async () => {
    const tokens = new Set<string>();
    entra = await startTokenEndpoint({ application: APPLICATION }, { tls: true, tokens });
    // Tokens that are due for renewal at once are renewed while they are used.
    machine = await startTokenEndpoint({ identityHeader: IDENTITY_HEADER, lifeSeconds: 240 }, { tokens });
    upstream = await startUpstream({ tokens });
    const azure = { preset: 'azure', base_url: upstream.origin, deployments: DEPLOYMENTS };
    const signIn = {
      tenant_id: APPLICATION.tenant,
      client_id: APPLICATION.client,
      client_secret_env: SECRET_VARIABLE,
      authority: entra.url,
    };
    gateway = await startGateway({
      env: {
        [KEY_VARIABLE]: upstream.apiKey,
        [SECRET_VARIABLE]: APPLICATION.secret,
        NODE_EXTRA_CA_CERTS: localCertificate().file,
        IDENTITY_ENDPOINT: `${machine.url}/msi/token`,
        IDENTITY_HEADER,
      },
      config: {
        providers: {
          v1: { ...azure, api_key_env: KEY_VARIABLE },
          dated: {
            ...azure,
            base_url: `${upstream.origin}/openai`,
            api_key_env: KEY_VARIABLE,
            api_version: '2024-10-21',
          },
          zone: { ...azure, api_key_env: KEY_VARIABLE, region: 'eu' },
          application: { ...azure, sign_in: signIn },
          identity: { ...azure, sign_in: { managed_identity: true } },
          chain: { ...azure, sign_in: {} },
          unmapped: { preset: 'azure', base_url: upstream.origin, api_key_env: KEY_VARIABLE },
          locked_out: { ...azure, sign_in: { ...signIn, tenant_id: 'another-tenant' } },
        },
        models: {
          spare: {
            deployments: [{ model: 'locked_out/prod-chat' }],
            fallbacks: ['v1/prod-chat'],
          },
        },
      },
    });
  });
  after(async () => {
    await gateway.close();
    await Promise.all([upstream.close(), entra.close(), machine.close()]);
  });

  const client = (): OpenAI => new OpenAI({ apiKey: gateway.adminKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const say = (content: string) => [{ role: 'user' as const, content }];
  const written = async <T>(run: () => Promise<T>): Promise<{ answer: T; entries: readonly Recorded[] }> => {
    const earlier = recorded(gateway.dataDir).length;
    const answer = await run();
    return { answer, entries: recorded(gateway.dataDir).slice(earlier) };
  };
  const lastBilled = async (): Promise<bigint | undefined> => (await upstream.bill()).entries.at(-1)?.cost;

  for (const provider of ['v1', 'dated', 'application', 'identity', 'chain']) {
    test(`${provider}: chat, streamed or not, and embeddings cost what Azure bills, by deployment`, async () => {
      const openai = client();
      const whole = await written(() =>
        openai.chat.completions.create({ model: `${provider}/prod-chat`, messages: say('seed=3') }),
      );
      const [entry] = whole.entries;
      assert.deepEqual(
        [entry?.model, entry?.responseModel, entry?.cost, entry?.state],
        ['prod-chat', 'gpt-4o-mini', await lastBilled(), 'exact'],
      );

      const streamed = await written(async () => {
        const stream = await openai.chat.completions.create({
          model: `${provider}/prod-reasoning`,
          messages: say('seed=4'),
          stream: true,
        });
        let text = '';
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        return text;
      });
      assert.notEqual(streamed.answer, '');
      assert.deepEqual(
        streamed.entries.map(({ cost, state }) => [cost, state]),
        [[await lastBilled(), 'exact']],
      );

      const vectors = await written(() =>
        openai.embeddings.create({ model: `${provider}/prod-embed`, input: 'seed=5', encoding_format: 'float' }),
      );
      assert.deepEqual(
        vectors.entries.map(({ cost, state }) => [cost, state]),
        [[await lastBilled(), 'exact']],
      );
    });
  }

  test('Responses go to the one path that no deployment is part of', async () => {
    for (const provider of ['v1', 'dated']) {
      const { entries } = await written(() =>
        client().responses.create({ model: `${provider}/prod-reasoning`, input: 'seed=6' }),
      );
      assert.deepEqual(
        entries.map(({ cost, state }) => [cost, state]),
        [[await lastBilled(), 'exact']],
      );
    }
    const paths = (await upstream.received()).map(({ path }) => path).filter((path) => path.includes('responses'));
    assert.deepEqual(paths, ['/openai/v1/responses', '/openai/responses?api-version=2024-10-21']);
  });

  test("Azure's own client works as it is, against both of its paths here", async () => {
    const azure = new AzureOpenAI({
      endpoint: gateway.url,
      apiKey: gateway.adminKey,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    });
    const { answer, entries } = await written(() =>
      azure.chat.completions.create({ model: 'dated/prod-chat', messages: say('seed=7') }),
    );
    assert.ok(answer.choices[0]?.message.content);
    assert.deepEqual(
      entries.map(({ cost, model }) => [model, cost]),
      [['prod-chat', await lastBilled()]],
    );
  });

  test('a data zone costs a tenth more than the same call elsewhere', async () => {
    const prompt = say('seed=8 prompt_tokens=1024 cached_tokens=0 completion_tokens=256');
    const { entries } = await written(async () => {
      await client().chat.completions.create({ model: 'v1/prod-chat', messages: prompt });
      await client().chat.completions.create({ model: 'zone/prod-chat', messages: prompt });
    });
    const [here, zone] = entries.map(({ cost }) => cost);
    assert.ok(typeof here === 'bigint' && typeof zone === 'bigint');
    assert.equal(zone * 10n, here * 11n);
  });

  test('A24: a deployment that nobody mapped is priced by the name in the answer, and has no bound before it', async () => {
    const { entries } = await written(() =>
      client().chat.completions.create({ model: 'unmapped/prod-chat', messages: say('seed=9') }),
    );
    const [entry] = entries;
    assert.deepEqual(
      [entry?.responseModel, entry?.cost, entry?.reserved],
      ['gpt-4o-mini-2024-07-18', await lastBilled(), null],
    );
  });

  test('a prompt that the filter stops is told as Azure told it, and costs nothing', async () => {
    const { answer, entries } = await written(() =>
      client()
        .chat.completions.create({ model: 'v1/prod-chat', messages: say(FILTERED) })
        .then(
          () => null,
          (error: unknown) => error,
        ),
    );
    assert.ok(answer instanceof OpenAI.BadRequestError && answer.code === 'content_filter');
    assert.deepEqual(
      entries.map(({ cost, state, errorCode }) => [cost, state, errorCode]),
      [[0n, 'exact', 'http_400']],
    );
  });

  test('a sign-in that fails is a clear error: nothing is sent, nothing is billed', async () => {
    const sent = (await upstream.received()).length;
    const { answer, entries } = await written(() =>
      client()
        .chat.completions.create({ model: 'locked_out/prod-chat', messages: say('hello') })
        .then(
          () => null,
          (error: unknown) => error,
        ),
    );
    assert.ok(answer instanceof OpenAI.APIError && answer.status === 502);
    assert.equal(answer.code, 'upstream_unauthorized');
    assert.ok(!answer.message.includes(APPLICATION.secret));
    assert.equal((await upstream.received()).length, sent);
    assert.deepEqual(
      entries.map(({ cost, status, errorCode }) => [cost, status, errorCode]),
      [[0n, 'upstream_unreachable', 'sign_in_failed']],
    );
    assert.ok(!gateway.output().includes(APPLICATION.secret));
  });

  test('where a sign-in fails, another deployment answers', async () => {
    const { entries } = await written(() =>
      client().chat.completions.create({ model: 'spare', messages: say('seed=10') }),
    );
    assert.deepEqual(
      entries.map(({ provider, status }) => [provider, status]),
      [
        ['locked_out', 'upstream_unreachable'],
        ['v1', 'ok'],
      ],
    );
  });

  test('a token is asked for once, and renewed before it ends while calls go on with the old one', () => {
    const grants = entra.asked.filter((grant) => grant.get('grant_type') === 'client_credentials');
    assert.equal(grants.length, 1);
    assert.equal(grants[0]?.get('scope'), 'https://cognitiveservices.azure.com/.default');
    // Two providers, four minutes each: both are due at the second call, and are used meanwhile.
    assert.ok(machine.asked.length >= 2);
  });
});
