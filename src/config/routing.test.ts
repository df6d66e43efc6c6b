import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig, NO_LIMITS, NO_ROUTING, type RoutingConfig } from './index.ts';

const PROVIDERS = {
  openai: { api_key: 'k' },
  'azure-east': { wire: 'openai', base_url: 'https://east.test/v1', models: ['gpt-4o'] },
};

function load(sections: Readonly<Record<string, unknown>>, env: Record<string, string> = {}): RoutingConfig {
  const readFile = (): string => JSON.stringify({ providers: PROVIDERS, ...sections });
  return loadConfig({ env: { ...env, APPORTION_CONFIG: 'apportion.json' }, readFile }).routing;
}

function problemsOf(sections: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    load(sections);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`.replace(/^\S+ /, ''));
  }
  return [];
}

test('without any of its sections there are no routes, and models that are no route are not retried', () => {
  assert.deepEqual(load({}), NO_ROUTING);
});

test('an alias is one deployment; several share the calls by weight, with fallbacks behind', () => {
  const models = {
    fast: 'openai/gpt-4o-mini',
    smart: {
      deployments: [{ model: 'openai/gpt-4o', weight: 3 }, { model: 'azure-east/gpt-4o' }],
      fallbacks: ['fast', 'openai/ft:gpt-4o:acme/x'],
    },
  };
  const plain = { tags: [], limits: NO_LIMITS };
  const usual = { strategy: 'weighted', sticky: false };
  assert.deepEqual(load({ models }).routes, [
    {
      name: 'fast',
      ...usual,
      deployments: [{ id: 'openai/gpt-4o-mini', provider: 'openai', model: 'gpt-4o-mini', weight: 1, ...plain }],
      fallbacks: [],
    },
    {
      name: 'smart',
      ...usual,
      deployments: [
        { id: 'openai/gpt-4o', provider: 'openai', model: 'gpt-4o', weight: 3, ...plain },
        { id: 'azure-east/gpt-4o', provider: 'azure-east', model: 'gpt-4o', weight: 1, ...plain },
      ],
      fallbacks: ['fast', 'openai/ft:gpt-4o:acme/x'],
    },
  ]);
});

test('retries hold for every model as soon as they are stated', () => {
  const retries = { max_attempts: 5, when_unknown: 'retry' };
  assert.deepEqual(load({ retries }).retries, {
    maxAttempts: 5,
    backoffMs: 250,
    maxBackoffMs: 5_000,
    whenUnknown: 'retry',
    plainModels: true,
  });
  assert.deepEqual(load({ cooldown: { failures: 1 } }).cooldown, { ...NO_ROUTING.cooldown, failures: 1 });
});

test('the sandbox is a provider to route to, when it is on', () => {
  const models = { toy: 'sandbox/sandbox-mini' };
  assert.equal(load({ models, sandbox: true }).routes[0]?.deployments[0]?.provider, 'sandbox');
  assert.equal(load({ models, providers: {} }).routes[0]?.deployments[0]?.provider, 'sandbox');
  assert.deepEqual(problemsOf({ models }), [
    '"models.toy": "sandbox/sandbox-mini" names no configured provider. Write "provider/model"; configured are: openai, azure-east.',
  ]);
});

test('a deployment of nobody names the nearest provider, and a model beyond a list the list', () => {
  const models = {
    a: 'opneai/gpt-4o',
    b: {
      deployments: [{ model: 'gpt-4o' }, { model: 'azure-east/o3' }, { model: 'openai/' }],
      fallbacks: ['aa', 'nobody'],
    },
  };
  assert.deepEqual(problemsOf({ models }), [
    '"models.a": "opneai/gpt-4o" names no configured provider. Did you mean "openai/gpt-4o"?',
    '"models.b.deployments[0].model": "gpt-4o" names no configured provider. Write "provider/model"; configured are: openai, azure-east.',
    '"models.b.deployments[1].model": the provider azure-east is held to its list, which has no o3. Known are: gpt-4o.',
    '"models.b.deployments[2].model": "openai/" names no model. Write "openai/" and the model.',
    '"models.b.fallbacks[0]": "aa" names no configured provider and no entry of "models". Did you mean "a"?',
    '"models.b.fallbacks[1]": "nobody" names no configured provider and no entry of "models". Write "provider/model"; configured are: openai, azure-east.',
  ]);
});

test('a provider with a problem of its own is not unknown to its routes as well', () => {
  const found = problemsOf({ providers: { mine: { wire: 'openai' } }, models: { a: 'mine/m' } });
  assert.deepEqual(found, ['"providers.mine".base_url: the address is missing. State "base_url".']);
});

test('fallbacks that come round are refused, each circle once', () => {
  const route = (...fallbacks: readonly string[]): unknown => ({
    deployments: [{ model: 'openai/gpt-4o' }],
    fallbacks,
  });
  const models = { in: route('a'), a: route('b'), b: route('c', 'd'), c: route('a'), d: route('d') };
  assert.deepEqual(problemsOf({ models }), [
    '"models.a.fallbacks": the fallbacks lead back to where they began (a → b → c → a). Take one of them out.',
    '"models.d.fallbacks": the fallbacks lead back to where they began (d → d). Take one of them out.',
  ]);
});

test('two routes may share a fallback', () => {
  const route = (...fallbacks: readonly string[]): unknown => ({
    deployments: [{ model: 'openai/gpt-4o' }],
    fallbacks,
  });
  assert.deepEqual(problemsOf({ models: { a: route('c', 'b'), b: route('c'), c: 'openai/o3' } }), []);
});

test("a route's name must not hide a provider's model, but may hide a bare one", () => {
  assert.deepEqual(problemsOf({ models: { 'openai/gpt-4o': 'openai/gpt-4o-mini' } }), [
    '"models.openai/gpt-4o": the name hides a model of the provider openai. Choose a name that does not begin with "openai/".',
  ]);
  assert.deepEqual(problemsOf({ models: { 'gpt-4o': 'openai/gpt-4o-mini', 'acme/smart': 'openai/gpt-4o' } }), []);
});

test('what does not fit is told with its place', () => {
  const models = {
    'a b': 'openai/gpt-4o',
    b: { deployments: [], fallback: [] },
    c: { deployments: [{ model: 'openai/gpt-4o', wieght: 2, weight: 0 }], fallbacks: ['a b', 'a b'] },
    d: 7,
  };
  assert.deepEqual(problemsOf({ models, retries: { max_attempts: 0, backof_ms: 1 }, cooldown: [] }), [
    '"models.a b": this is no name for a model. Use printable ASCII characters without spaces, at most 256.',
    '"models.b.fallback": unknown key. Did you mean "fallbacks"?',
    '"models.b.deployments": this value does not fit. It must be a list with at least one deployment.',
    '"models.c.deployments[0].wieght": unknown key. Did you mean "weight"?',
    '"models.c.deployments[0].weight": this value does not fit. It must be a whole number from 1 to 1000000.',
    '"models.c.fallbacks[0]": this value does not fit. It must be the name of a model, such as openai/gpt-4o.',
    '"models.c.fallbacks[1]": this value does not fit. It must be the name of a model, such as openai/gpt-4o.',
    '"models.c.fallbacks": this value does not fit. It must be a list that names each one once.',
    '"models.d": this value does not fit. It must be a model such as "openai/gpt-4o", or an object.',
    '"retries.backof_ms": unknown key. Did you mean "backoff_ms"?',
    '"retries.max_attempts": this value does not fit. It must be a whole number from 1 to 20.',
    '"cooldown": this value does not fit. It must be an object.',
  ]);
});

test('the longest wait is not shorter than the first', () => {
  assert.deepEqual(problemsOf({ retries: { backoff_ms: 900, max_backoff_ms: 800 } }), [
    '"retries.max_backoff_ms": 800 is less than backoff_ms. It must be 900 or more.',
  ]);
  assert.equal(load({ retries: { backoff_ms: 9_000 } }).retries.maxBackoffMs, 9_000);
});

test('a route has a strategy, and its deployments tags, limits and names of their own', () => {
  const limits = { requests_per_minute: 60, parallel: 4 };
  const deployments = [
    { model: 'openai/gpt-4o', tags: ['free', 'tier:paid', 'US/California'], limits, id: 'cheap-one' },
    { model: 'openai/gpt-4o', tags: ['default'] },
  ];
  const [route] = load({ models: { smart: { deployments, strategy: 'cheapest', sticky: true } } }).routes;
  assert.deepEqual([route?.strategy, route?.sticky], ['cheapest', true]);
  assert.deepEqual(
    route?.deployments.map(({ id, tags, limits: held }) => ({ id, tags, held })),
    [
      {
        id: 'cheap-one',
        tags: ['free', 'tier:paid', 'US/California'],
        held: { requestsPerMinute: 60, tokensPerMinute: null, parallel: 4 },
      },
      { id: 'openai/gpt-4o', tags: ['default'], held: NO_LIMITS },
    ],
  );
});

test('tag routing is told in its own words or in LiteLLM’s, not in both', () => {
  assert.deepEqual(load({ tag_routing: { match: 'all', prefix: 'route:' } }).tagRouting, {
    enabled: true,
    match: 'all',
    prefix: 'route:',
  });
  const theirs = { enable_tag_filtering: true, tag_filtering_match_any: false, tag_routing_prefix: 'route:' };
  assert.deepEqual(load({ router_settings: theirs }).tagRouting, { enabled: true, match: 'all', prefix: 'route:' });
  assert.equal(load({ router_settings: {} }).tagRouting.enabled, false);
  assert.deepEqual(problemsOf({ tag_routing: {}, router_settings: {} }), [
    '"router_settings": "tag_routing" says the same in other words. Keep one of them.',
  ]);
});

test('a tag no call can have, and an id of two deployments, are told', () => {
  const deployments = [
    { model: 'openai/gpt-4o', tags: ['!free', ' '], id: 'x' },
    { model: 'azure-east/gpt-4o', id: 'x' },
  ];
  assert.deepEqual(problemsOf({ models: { smart: { deployments } } }), [
    '"models.smart.deployments[0].tags[0]": only calls write "!" and "&" before a tag. Write "free".',
    '"models.smart.deployments[0].tags[1]": this tag says nothing. Take it out.',
    '"models.smart.deployments": the id "x" stands for two deployments. Give each its own "id".',
  ]);
  const limited = (parallel: number) => ({ deployments: [{ model: 'openai/gpt-4o', limits: { parallel } }] });
  assert.deepEqual(problemsOf({ models: { one: limited(1), two: limited(2) } }), [
    '"models.two.deployments": "openai/gpt-4o" has other limits elsewhere. State them once, or give each its own "id".',
  ]);
});
