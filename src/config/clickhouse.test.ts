import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, describeConfig, loadConfig, type Config } from './index.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

function load(env: Record<string, string>, files: Readonly<Record<string, string>> = {}): Config {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  };
  return loadConfig({ env, readFile });
}

function problemsOf(env: Record<string, string>, files: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    load(env, files);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
}

test('an address alone names a server, with the user, database and authorities it has by default', () => {
  assert.deepEqual(load({ CLICKHOUSE_URL: 'http://ch:8123' }).clickHouse, {
    url: 'http://ch:8123',
    username: 'default',
    password: '',
    database: 'apportion',
    caCertificate: null,
    cluster: null,
  });
});

test('all of it comes from the file but the password', () => {
  const file = JSON.stringify({
    clickhouse: {
      url: 'https://ch:8443',
      user: 'ledger',
      database: 'costs',
      ca_file: 'ca.pem',
      cluster: 'main',
    },
  });
  const config = load({ APPORTION_CONFIG: 'a.json', CLICKHOUSE_PASSWORD: 'hidden' }, { 'a.json': file, 'ca.pem': PEM });
  assert.deepEqual(config.clickHouse, {
    url: 'https://ch:8443',
    username: 'ledger',
    password: 'hidden',
    database: 'costs',
    caCertificate: PEM,
    cluster: 'main',
  });
  assert.ok(!JSON.stringify(describeConfig(config)).includes('hidden'));
});

test('a password in the address, and what else cannot be used, is refused with the setting and never the password', () => {
  const address =
    'It must be the http:// or https:// address of a server, without user, path and query (CLICKHOUSE_USER, …).';
  assert.deepEqual(problemsOf({ CLICKHOUSE_URL: 'ch:8123' }), [
    `CLICKHOUSE_URL: this value cannot be used. ${address}`,
  ]);
  assert.ok(!problemsOf({ CLICKHOUSE_URL: 'http://ledger:hidden@ch:8123' }).join('').includes('hidden'));
  assert.deepEqual(problemsOf({ CLICKHOUSE_URL: 'https://ch:8443', CLICKHOUSE_CA_FILE: 'ca.pem' }), [
    'CLICKHOUSE_CA_FILE: the file ca.pem cannot be read (ENOENT). Name a PEM file with the certificate of the authority that signed the server’s.',
  ]);
  assert.deepEqual(problemsOf({ CLICKHOUSE_URL: 'http://ch:8123', CLICKHOUSE_CLUSTER: "a'b" }), [
    'CLICKHOUSE_CLUSTER: "a\'b" cannot be used. It must be a name of letters, digits, _ and -, at most 64.',
  ]);
});
