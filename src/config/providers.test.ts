import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROVIDERS } from '#providers';
import { ConfigError, loadConfig, type Config, type ProviderConfig } from './index.ts';

type Entries = Readonly<Record<string, unknown>>;

function load(env: Record<string, string>, providers: Entries = {}): Config {
  const readFile = (): string => JSON.stringify({ timeouts: { idle_ms: 7_000 }, providers });
  return loadConfig({ env: { ...env, APPORTION_CONFIG: 'apportion.json' }, readFile });
}

function only(env: Record<string, string>, providers: Entries = {}): ProviderConfig {
  const [provider, ...more] = load(env, providers).providers;
  assert.ok(provider !== undefined && more.length === 0);
  return provider;
}

function problemsOf(env: Record<string, string>, providers: Entries = {}): readonly string[] {
  try {
    load(env, providers);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
  return [];
}

/** As people copy them from the clouds' pages. */
const ADDRESSES: Readonly<Record<string, string>> = {
  azure: 'https://a-resource.openai.azure.com',
  bedrock: 'https://bedrock-runtime.us-east-1.amazonaws.com',
  vertex: 'https://europe-west1-aiplatform.googleapis.com/v1/projects/a-project/locations/europe-west1',
};

for (const { name, baseUrl, keyless, alsoKnownAs, cloud } of PROVIDERS) {
  const begins = [name, ...alsoKnownAs].map((one) => one.toUpperCase().replaceAll('-', '_'));
  if (keyless) {
    test(`${name} is on when its address is set, and takes a key if there is one`, () => {
      const address = { [`${begins[0]}_BASE_URL`]: 'http://10.0.0.7:8000/v1' };
      assert.deepEqual([only(address).name, only(address).apiKey], [name, null]);
      assert.equal(only({ ...address, [`${begins[0]}_API_KEY`]: 'k' }).apiKey, 'k');
      assert.deepEqual(load({ [`${begins[0]}_API_KEY`]: 'k' }).providers, []);
    });
  } else if (cloud !== undefined) {
    test(`${name} is on when its key and its address are set: a key alone may be there for other tools`, () => {
      const address = { [`${begins[0]}_BASE_URL`]: ADDRESSES[name] ?? '' };
      for (const variable of begins) {
        const key = { [`${variable}_API_KEY`]: 'k' };
        assert.deepEqual(load(key).providers, []);
        assert.deepEqual([only({ ...address, ...key }).name, only({ ...address, ...key }).apiKey], [name, 'k']);
      }
    });
  } else {
    test(`${name} needs nothing but its key, under any of its names`, () => {
      for (const variable of begins) {
        const provider = only({ [`${variable}_API_KEY`]: 'k' });
        assert.deepEqual([provider.name, provider.baseUrl, provider.apiKey], [name, baseUrl, 'k']);
      }
    });
  }
}

test('a provider of the file is not added again by its variables, whatever name it has there', () => {
  const env = { XAI_API_KEY: 'k', OPENAI_API_KEY: 'o' };
  assert.deepEqual(
    load(env, { 'x-ai': {} }).providers.map(({ name, apiKey }) => [name, apiKey]),
    [
      ['x-ai', 'k'],
      ['openai', 'o'],
    ],
  );
});

test('a preset gives a provider with a name of its own what is known of another', () => {
  const provider = only(
    { K: 'k' },
    { 'grok-eu': { preset: 'xai', base_url: 'https://eu.x.test/v1', api_key_env: 'K' } },
  );
  assert.deepEqual(
    [provider.name, provider.priceAs, provider.quirks.reasoning, provider.onDisconnect],
    ['grok-eu', 'x-ai', 'outside', 'abort'],
  );
});

test('a preset does not lend its key: another address would see it', () => {
  const { providers } = load({ XAI_API_KEY: 'k' }, { 'grok-eu': { preset: 'xai', base_url: 'https://eu.x.test/v1' } });
  assert.deepEqual(
    providers.map(({ name, apiKey }) => [name, apiKey]),
    [
      ['grok-eu', null],
      ['xai', 'k'],
    ],
  );
});

test('an unknown preset names the nearest, and a known name needs none', () => {
  const found = problemsOf(
    {},
    {
      local: { preset: 'vlm', base_url: 'http://l/v1' },
      groq: { preset: 'xai' },
      xai: { preset: 'xai', api_key: 'k' },
    },
  );
  assert.deepEqual(
    found.map((problem) => problem.replace(/^\S+ /, '')),
    [
      '"providers.local".preset: no provider is known as "vlm". Did you mean "vllm"?',
      '"providers.groq".preset: the name groq is a known provider itself. Give the provider a name of your own, such as "my-groq".',
      '"providers.xai".preset: the name xai is a known provider itself. Leave "preset" out.',
    ],
  );
});

test('a known provider at its own address needs a key; elsewhere, or with headers, it may not', () => {
  assert.match(
    problemsOf({}, { openai: {} })[0] ?? '',
    /the key is missing\. Set OPENAI_API_KEY, or state "api_key_env"/,
  );
  assert.equal(only({}, { openai: { base_url: 'http://local/v1' } }).apiKey, null);
  assert.equal(only({}, { openai: { headers: { authorization: 'Basic x' } } }).apiKey, null);
});

test('one that everybody runs for themselves must be given its address', () => {
  assert.match(
    problemsOf({}, { vllm: {} })[0] ?? '',
    /the address is missing\. State "base_url", or set VLLM_BASE_URL\./,
  );
  assert.equal(only({}, { ollama: {} }).baseUrl, 'http://localhost:11434/v1');
});

test("an address of Anthropic's or Gemini's dialect may end in its version or not; one of OpenAI's is kept as written", () => {
  const baseOf = (wire: string, base: string): string => only({}, { one: { wire, base_url: base } }).baseUrl;
  for (const written of ['https://a.test', 'https://a.test/', 'https://a.test/v1', 'https://a.test/v1/']) {
    assert.equal(baseOf('anthropic', written), 'https://a.test');
  }
  assert.equal(baseOf('gemini', 'https://g.test/v1beta/'), 'https://g.test');
  assert.equal(baseOf('gemini', 'https://g.test/path/v1'), 'https://g.test/path');
  assert.equal(baseOf('openai', 'https://o.test/v1/'), 'https://o.test/v1');
  assert.equal(baseOf('openai', 'https://o.test/'), 'https://o.test');
});

test('timeouts of a provider replace the general ones, one by one', () => {
  const provider = only(
    {},
    { one: { wire: 'openai', base_url: 'http://o', timeouts: { connect_ms: 5, total_ms: 9 } } },
  );
  assert.deepEqual(provider.timeouts, { connectMs: 5, firstByteMs: 600_000, idleMs: 7_000, totalMs: 9 });
});

test('drain, region and the header that states a cost are read', () => {
  const base = { wire: 'openai', base_url: 'http://o' };
  const provider = only(
    {},
    { one: { ...base, region: 'eu', reported_cost_header: 'X-Cost', drain: { max_bytes: 5 }, on_disconnect: 'abort' } },
  );
  assert.deepEqual(
    [provider.region, provider.quirks.reportedCostHeader, provider.drain, provider.onDisconnect],
    ['eu', 'x-cost', { maxMs: 60_000, maxBytes: 5 }, 'abort'],
  );
  assert.equal(
    only({}, { one: { preset: 'litellm', base_url: 'http://l' } }).quirks.reportedCostHeader,
    'x-litellm-response-cost',
  );
});

test('what does not fit inside drain and timeouts is told with its place', () => {
  const base = { wire: 'openai', base_url: 'http://o' };
  const found = problemsOf(
    {},
    { one: { ...base, drain: { max_ms: 0 }, timeouts: { idel_ms: 1, connect_ms: '5' } }, two: 'x' },
  );
  assert.deepEqual(
    found.map((problem) => problem.replace(/^\S+ /, '')),
    [
      '"providers.one.timeouts.idel_ms": unknown key. Did you mean "idle_ms"?',
      '"providers.one.drain.max_ms": this value does not fit. It must be a whole number from 1 to 3600000.',
      '"providers.one.timeouts.connect_ms": this value does not fit. It must be a whole number from 1 to 86400000.',
      '"providers.two": this value does not fit. It must be an object.',
    ],
  );
});

const AZURE = { base_url: 'https://a-resource.openai.azure.com' };

test('an Azure resource is written with or without the path of its API, which `api_version` decides', () => {
  for (const ending of ['', '/', '/openai', '/openai/v1', '/openai/v1/']) {
    const base_url = `https://a-resource.openai.azure.com${ending}`;
    const env = { AZURE_API_KEY: 'k' };
    assert.equal(only(env, { azure: { base_url } }).baseUrl, 'https://a-resource.openai.azure.com/openai/v1');
    const dated = only(env, { azure: { base_url, api_version: '2024-10-21' } });
    assert.equal(dated.baseUrl, 'https://a-resource.openai.azure.com/openai');
  }
});

test('a cloud says what its sign-in lacks, and which settings are not its own', () => {
  assert.deepEqual(problemsOf({}, { azure: AZURE }), [
    'apportion.json:1:51 "providers.azure": neither a key nor a sign-in is stated. Set AZURE_API_KEY, state "api_key_env", or state "sign_in": {} for a Microsoft Entra token.',
  ]);
  const places = (env: Record<string, string>, azure: object): readonly string[] =>
    problemsOf(env, { azure: { ...AZURE, ...azure } }).map(
      (text) => /"providers\.azure(?:"(?=\.))?([^":]*)/.exec(text)?.[1] ?? text,
    );
  assert.deepEqual(places({}, { sign_in: { client_secret_env: 'NOWHERE' } }), ['.sign_in.client_secret_env']);
  assert.deepEqual(places({ S: 's' }, { sign_in: { client_secret_env: 'S' } }), ['.sign_in']);
  assert.deepEqual(places({ AZURE_API_KEY: 'k' }, { sign_in: {} }), ['.sign_in']);
  assert.deepEqual(places({}, { sign_in: { profile: 'dev' } }), ['.sign_in.profile']);
  assert.deepEqual(places({}, { sign_in: { profil: 'dev' } }), ['.sign_in.profil']);
  assert.deepEqual(places({ AZURE_API_KEY: 'k' }, { project: 'p-1' }), ['.project']);
  const openai = problemsOf({ OPENAI_API_KEY: 'k' }, { openai: { api_version: '2024-10-21' } });
  assert.match(openai[0] ?? '', /OpenAI takes no such setting\. Leave it out\.$/);
});

test('the region of Bedrock is stated, or in its address, or in AWS’s own variables', () => {
  const regionOf = (env: Record<string, string>, bedrock: object): readonly string[] => {
    const { region, baseUrl, signIn } = only(env, { bedrock });
    return [region, baseUrl, signIn?.kind === 'aws' ? signIn.region : 'key'];
  };
  const west = 'https://bedrock-runtime.us-west-2.amazonaws.com';
  assert.deepEqual(regionOf({ AWS_REGION: 'eu-west-1' }, { region: 'us-west-2' }), ['us-west-2', west, 'us-west-2']);
  assert.deepEqual(regionOf({ AWS_REGION: 'eu-west-1' }, { base_url: west }), ['us-west-2', west, 'us-west-2']);
  assert.deepEqual(regionOf({ AWS_DEFAULT_REGION: 'us-west-2' }, {}), ['us-west-2', west, 'us-west-2']);
  assert.deepEqual(regionOf({ AWS_REGION: 'us-west-2', BEDROCK_API_KEY: 'k' }, {}), ['us-west-2', west, 'key']);
  assert.match(problemsOf({}, { bedrock: {} })[0] ?? '', /region: the region is missing/);
});

test('a location of Vertex AI has its address, and the project comes from the file or the environment', () => {
  const baseUrlOf = (env: Record<string, string>, vertex: object): string => only(env, { vertex }).baseUrl;
  const path = (location: string): string => `/v1/projects/p-1/locations/${location}`;
  assert.equal(baseUrlOf({}, { project: 'p-1' }), `https://aiplatform.googleapis.com${path('global')}`);
  const env = { GOOGLE_CLOUD_PROJECT: 'p-1' };
  const belgium = `https://europe-west1-aiplatform.googleapis.com${path('europe-west1')}`;
  assert.equal(baseUrlOf(env, { region: 'europe-west1' }), belgium);
  assert.equal(baseUrlOf(env, { region: 'eu' }), `https://aiplatform.eu.rep.googleapis.com${path('eu')}`);
  assert.equal(baseUrlOf(env, { base_url: 'https://proxy.example/v1' }), `https://proxy.example${path('global')}`);
  assert.equal(only({}, { vertex: { base_url: belgium } }).region, 'europe-west1');
  assert.match(problemsOf({}, { vertex: {} })[0] ?? '', /project: the project is missing/);
});
