import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig, type Config } from './index.ts';

const ENV = { APPORTION_CONFIG: 'apportion.json', OPENAI_API_KEY: 'from-env' };

function load(file: Readonly<Record<string, unknown>>): Config {
  return loadConfig({ env: ENV, readFile: () => JSON.stringify(file) });
}

function problemsOf(file: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    load(file);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`.replace(/^\S+ /, ''));
  }
  return [];
}

const ELSEWHERE = 'https://exampleopenaiendpoint-production.up.railway.app/';

/** The example of LiteLLM's page of tag routing, in JSON. */
const TIERS = [
  {
    model_name: 'gpt-4',
    litellm_params: { model: 'openai/fake', api_key: 'fake-key', api_base: ELSEWHERE, tags: ['free'] },
  },
  {
    model_name: 'gpt-4',
    litellm_params: { model: 'openai/gpt-4o', api_key: 'os.environ/OPENAI_API_KEY', tags: ['paid'] },
  },
  {
    model_name: 'gpt-4',
    litellm_params: {
      model: 'openai/gpt-4o',
      api_key: 'os.environ/OPENAI_API_KEY',
      api_base: ELSEWHERE,
      tags: ['default'],
    },
    model_info: { id: 'default-model' },
  },
];

test('LiteLLM’s model_list is read as providers and routes', () => {
  const { providers, routing } = load({ model_list: TIERS, router_settings: { enable_tag_filtering: true } });
  const [route, ...more] = routing.routes;
  assert.deepEqual(more, []);
  const addressOf = (name: string | undefined) => {
    const provider = providers.find((one) => one.name === name);
    return [provider?.baseUrl, provider?.apiKey, provider?.priceAs];
  };
  assert.deepEqual(
    route?.deployments.map(({ id, provider, model, tags }) => [id, ...addressOf(provider), model, tags]),
    [
      ['openai-1/fake', ELSEWHERE.slice(0, -1), 'fake-key', 'openai', 'fake', ['free']],
      ['openai-2/gpt-4o', 'https://api.openai.com/v1', 'from-env', 'openai', 'gpt-4o', ['paid']],
      ['default-model', ELSEWHERE.slice(0, -1), 'from-env', 'openai', 'gpt-4o', ['default']],
    ],
  );
  assert.equal(routing.tagRouting.enabled, true);
});

test('entries with the same address and key are one provider, and limits are the deployment’s', () => {
  const params = { api_base: 'https://house.test/v1', rpm: 60, tpm: 1_000, max_parallel_requests: 2, weight: 3 };
  const { providers, routing } = load({
    model_list: ['one', 'two'].map((name) => ({
      model_name: name,
      litellm_params: { ...params, model: `house/${name}` },
    })),
  });
  assert.deepEqual(
    providers.map(({ name }) => name),
    ['house-1', 'openai'],
  );
  const deployment = routing.routes[1]?.deployments[0];
  assert.deepEqual(
    [deployment?.provider, deployment?.weight, deployment?.limits],
    ['house-1', 3, { requestsPerMinute: 60, tokensPerMinute: 1_000, parallel: 2 }],
  );
});

test('a model alone is OpenAI’s, and the list stands beside routes of our own words', () => {
  const { routing } = load({
    models: { fast: 'openai/gpt-4o-mini' },
    model_list: [{ model_name: 'smart', litellm_params: { model: 'gpt-4o' } }],
  });
  assert.deepEqual(
    routing.routes.map(({ name, deployments }) => [name, deployments[0]?.id]),
    [
      ['fast', 'openai/gpt-4o-mini'],
      ['smart', 'openai/gpt-4o'],
    ],
  );
});

test('what of the list is not understood is told, with its place', () => {
  const entry = (params: object) => ({ model_name: 'm', litellm_params: { model: 'openai/gpt-4o', ...params } });
  assert.deepEqual(problemsOf({ model_list: [entry({ drop_params: true })] }), [
    '"model_list[0].litellm_params.drop_params": unknown key. Known here are: model, api_base, api_key, tags, weight, rpm, tpm, max_parallel_requests.',
  ]);
  assert.deepEqual(problemsOf({ model_list: [entry({ rpm: 0 })] }), [
    '"model_list" (models.m.deployments.0.limits.requests_per_minute): this value does not fit. It must be a whole number from 1 to 1000000000.',
  ]);
  assert.deepEqual(problemsOf({ models: { m: 'openai/gpt-4o' }, model_list: [entry({})] }), [
    '"model_list[0].model_name": "m" stands under "models" as well. Keep one of them.',
  ]);
  assert.match(problemsOf({ model_list: [{ litellm_params: {} }] })[0] ?? '', /^"model_list\[0\]\.model_name"/);
});
