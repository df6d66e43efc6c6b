import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_QUIRKS } from '#wires';
import { ConfigError, describeConfig, loadConfig, NO_ROUTING, type Config, type ProviderConfig } from './index.ts';

function load(env: Record<string, string>, file?: string): Config {
  const readFile = (path: string): string => {
    if (file === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return file;
  };
  return loadConfig({ env: file === undefined ? env : { ...env, APPORTION_CONFIG: 'apportion.json' }, readFile });
}

function problemsOf(env: Record<string, string>, file?: string): readonly string[] {
  try {
    load(env, file);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
  return [];
}

const TIMEOUTS = { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000, totalMs: 3_600_000 };

/** All of a provider but its functions. */
function plain({
  credentials,
  quirks,
  host: _host,
  signIn,
  deployments,
  pricedBy,
  ...provider
}: ProviderConfig): unknown {
  assert.deepEqual([signIn, deployments.size, pricedBy], [null, 0, 'answer']);
  return {
    ...provider,
    signedIn: credentials('KEY'),
    quirks: { ...quirks, reportedCost: quirks.reportedCost !== null },
  };
}

const PLAIN_QUIRKS = { ...NO_QUIRKS, reportedCost: false };

test('an empty environment gives the defaults and the sandbox', () => {
  assert.deepEqual(load({}), {
    port: 4000,
    host: '127.0.0.1',
    trustedProxies: [],
    dataDir: resolve('data'),
    adminKey: null,
    logLevel: 'info',
    failOpen: false,
    budgetStatus: 402,
    journal: { segmentBytes: 268_435_456, compress: true, retentionDays: null },
    store: { retentionDays: null },
    redisUrl: null,
    clickHouse: null,
    limits: { maxBodyBytes: 33_554_432 },
    timeouts: { headersMs: 30_000, bodyMs: 60_000, ...TIMEOUTS, shutdownMs: 30_000 },
    providers: [],
    sandbox: true,
    routing: NO_ROUTING,
    tags: {
      headers: {},
      baggage: [],
      entityTypes: [],
      pathRoots: {},
      endUserAs: 'customer',
      defaultTags: null,
      policy: null,
      places: {},
    },
    prices: { terms: [], places: {} },
    oidc: null,
    alerts: { allowPrivateTargets: false, allowedHosts: [], mail: null },
    batches: { pollMs: 300_000 },
    warnings: [],
  });
});

test('a key in the environment is a provider, and turns the automatic sandbox off', () => {
  const config = load({ OPENAI_API_KEY: 'sk-up', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1/' });
  assert.deepEqual(config.providers.map(plain), [
    {
      name: 'openai',
      dialects: ['openai'],
      baseUrl: 'http://127.0.0.1:9/v1',
      apiKey: 'sk-up',
      signedIn: { authorization: 'Bearer KEY' },
      models: null,
      priceAs: 'openai',
      headers: {},
      onDisconnect: 'abort',
      drain: { maxMs: 60_000, maxBytes: 16_777_216 },
      timeouts: TIMEOUTS,
      region: '',
      quirks: PLAIN_QUIRKS,
    },
  ]);
  assert.equal(config.sandbox, false);
  assert.equal(load({ OPENAI_API_KEY: 'sk-up', APPORTION_SANDBOX: 'true' }).sandbox, true);
});

test('an address without a key configures nothing', () => {
  assert.deepEqual(load({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }).providers, []);
});

test('providers of the file come first, in its order, then those of the environment', () => {
  const file = `{
    // comments and trailing commas are fine
    "providers": {
      "mistral-eu": {
        "wire": "openai", "base_url": "https://api.mistral.example/v1", "api_key_env": "MISTRAL_KEY",
        "models": ["mistral-small"], "price_as": "mistral", "headers": { "X-Org": "a" }, "on_disconnect": "abort",
      },
      "local": { "wire": "openai", "base_url": "http://127.0.0.1:8000/v1" },
    },
  }`;
  const { providers } = load({ MISTRAL_KEY: 'mk', OPENAI_API_KEY: 'sk-up' }, file);
  assert.deepEqual(
    providers.map(({ name }) => name),
    ['mistral-eu', 'local', 'openai'],
  );
  assert.deepEqual(providers.map(plain)[0], {
    name: 'mistral-eu',
    dialects: ['openai'],
    baseUrl: 'https://api.mistral.example/v1',
    apiKey: 'mk',
    signedIn: { authorization: 'Bearer KEY' },
    models: ['mistral-small'],
    priceAs: 'mistral',
    headers: { 'x-org': 'a' },
    onDisconnect: 'abort',
    drain: { maxMs: 60_000, maxBytes: 16_777_216 },
    timeouts: TIMEOUTS,
    region: '',
    quirks: PLAIN_QUIRKS,
  });
  assert.equal(providers[1]?.apiKey, null);
});

test('a provider of the file that is known takes its key and address from the environment', () => {
  const { providers } = load({ OPENAI_API_KEY: 'sk-up' }, '{ "providers": { "openai": { "models": ["gpt-4o"] } } }');
  assert.equal(providers.length, 1);
  assert.equal(providers[0]?.apiKey, 'sk-up');
  assert.equal(providers[0]?.baseUrl, 'https://api.openai.com/v1');
});

test('the environment wins over the file', () => {
  const file = '{ "port": 1, "timeouts": { "idle_ms": 7 }, "sandbox": false }';
  assert.equal(load({}, file).port, 1);
  assert.equal(load({ APPORTION_PORT: '0' }, file).port, 0);
  assert.equal(load({}, file).timeouts.idleMs, 7);
  assert.equal(load({}, file).sandbox, false);
});

test('an unknown key names its place and the nearest known key', () => {
  const file =
    '{\n  "prot": 4000,\n  "timeouts": { "idel_ms": 1 },\n  "providers": { "a": { "wire": "openai", "baseurl": "http://x" } }\n}';
  assert.deepEqual(problemsOf({}, file), [
    'apportion.json:2:3 "prot": unknown key. Did you mean "port"?',
    'apportion.json:3:17 "timeouts.idel_ms": unknown key. Did you mean "idle_ms"?',
    'apportion.json:4:43 "providers.a.baseurl": unknown key. Did you mean "base_url"?',
  ]);
});

test('a key that stands twice is refused', () => {
  assert.deepEqual(problemsOf({}, '{ "port": 1, "port": 2 }'), [
    'apportion.json:1:14 "port": this key stands here twice. Keep one of them.',
  ]);
});

test('every problem is told at once', () => {
  const env = {
    APPORTION_PORT: '70000',
    APPORTION_LOG_LEVEL: 'loud',
    OPENAI_API_KEY: 'k',
    OPENAI_BASE_URL: 'api.openai.com',
  };
  assert.deepEqual(problemsOf(env, '{ "max_body_bytes": "big" }'), [
    'OPENAI_BASE_URL: this is no usable address. It must be an http or https address without user, query or fragment, such as https://api.example.com/v1.',
    'APPORTION_PORT: 70000 cannot be used. It must be a whole number from 0 to 65535.',
    'APPORTION_LOG_LEVEL: "loud" cannot be used. It must be one of trace, debug, info, warn, error, fatal, silent.',
    'apportion.json:1:21 "max_body_bytes": "big" cannot be used. It must be a whole number from 1024 to 1073741824.',
  ]);
});

test('a file that is missing, broken or no object is a problem with its place', () => {
  assert.match(
    problemsOf({ APPORTION_CONFIG: 'gone.json' })[0] ?? '',
    /^APPORTION_CONFIG: the file gone\.json cannot be read/,
  );
  assert.match(problemsOf({}, '{\n "port": }')[0] ?? '', /^apportion\.json:2:10: this is not JSON/);
  assert.match(problemsOf({}, '[]')[0] ?? '', /the file holds array/);
  assert.match(problemsOf({}, '')[0] ?? '', /this is not JSON/);
});

test('a provider without address, with two keys, with an absent variable or a wrong name is refused', () => {
  const file = `{ "providers": {
    "a": { "wire": "openai" },
    "b": { "wire": "openai", "base_url": "http://b", "api_key": "secret-one", "api_key_env": "B" },
    "c": { "wire": "smoke", "base_url": "ftp://c", "models": [], "headers": { "Host": "x" } },
    "f": { "wire": "openai", "base_url": "http://f", "api_key_env": "B" },
    "D!": { "wire": "openai", "base_url": "http://d" },
    "sandbox": { "wire": "openai", "base_url": "http://e" } } }`;
  const problems = problemsOf({}, file).join('\n');
  for (const expected of [
    '"providers.a".base_url: the address is missing',
    'api_key and api_key_env are both set',
    'the environment has no B',
    '"providers.c.wire": this value does not fit. It must be one of openai, anthropic, gemini, bedrock, cohere.',
    '"providers.c.base_url": this value does not fit. It must be an http or https address without user, query or fragment.',
    'a list with at least one model',
    'a header that Apportion does not set itself',
    '"providers.D!": this is no provider name',
    'the name sandbox is taken',
  ]) {
    assert.ok(problems.includes(expected), `${expected}\nis missing in\n${problems}`);
  }
  assert.ok(!problems.includes('secret-one'));
});

test('a provider whose address is this gateway is refused', () => {
  const problems = problemsOf({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://localhost:4000/v1' });
  assert.match(problems[0] ?? '', /is this gateway itself/);
});

test('the variable Kubernetes sets for a Service named apportion is explained', () => {
  assert.match(problemsOf({ APPORTION_PORT: 'tcp://10.0.0.1:4000' })[0] ?? '', /enableServiceLinks: false/);
});

test('a misspelt variable is a warning, not an error', () => {
  assert.deepEqual(load({ APPORTION_DATADIR: '/d', APPORTION_PORT_4000_TCP_PROTO: 'x' }).warnings, [
    'APPORTION_DATADIR is not a setting. Did you mean APPORTION_DATA_DIR?',
  ]);
});

test('an empty variable counts as not set', () => {
  assert.equal(load({ APPORTION_PORT: '', APPORTION_CONFIG: ' ', OPENAI_API_KEY: '' }).port, 4000);
});

test('no secret is in the description or in any error', () => {
  const secret = fc.string({ unit: 'grapheme', minLength: 12, maxLength: 40 }).map((noise) => `S3CRET${noise}`);
  fc.assert(
    fc.property(secret, secret, (admin, key) => {
      const env = { APPORTION_ADMIN_KEY: admin, OPENAI_API_KEY: key };
      const file = JSON.stringify({
        providers: { a: { wire: 'openai', base_url: 'http://a', api_key: key, headers: { 'x-a': key } } },
      });
      const problems = problemsOf(env, file);
      const said = problems.length > 0 ? problems.join('\n') : JSON.stringify(describeConfig(load(env, file)));
      assert.ok(!said.includes('S3CRET'), said);
    }),
  );
});

test('the section of the journal is read, and what it does not know is an error', () => {
  const read = (journal: object) =>
    loadConfig({ env: { APPORTION_CONFIG: 'a.json' }, readFile: () => JSON.stringify({ journal }) });
  assert.deepEqual(read({ segment_bytes: 65_536, compress: false, retention_days: 400 }).journal, {
    segmentBytes: 65_536,
    compress: false,
    retentionDays: 400,
  });
  assert.throws(() => read({ retention_day: 1 }), /retention_days/);
  assert.throws(() => read({ retention_days: -1 }), /a whole number from 0 to 36500/);
});

test('the retention of the store is for the store in the data directory alone', () => {
  const read = (file: object) =>
    loadConfig({ env: { APPORTION_CONFIG: 'a.json' }, readFile: () => JSON.stringify(file) });
  assert.deepEqual(read({ store: { retention_days: 90 } }).store, { retentionDays: 90 });
  assert.throws(() => read({ store: { retention_days: 1.5 } }), /a whole number from 0 to 36500/);
  assert.throws(
    () => read({ store: { retention_days: 90 }, clickhouse: { url: 'http://ch:8123' } }),
    /APPORTION_STORE_RETENTION_DAYS: it is about the store in the data directory/,
  );
});
