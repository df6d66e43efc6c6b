import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { startGateway, startUpstream, type Gateway, type Upstream } from '#world';
import { sendRaw, statusesOf } from './raw.ts';

const CALL = '{"model":"gpt-4o-mini","max_completion_tokens":5,"messages":[{"role":"user","content":"hi"}]}';
const CHAT = '/v1/chat/completions';

let upstream: Upstream;
let gateway: Gateway;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({
    upstream,
    env: { APPORTION_BODY_TIMEOUT_MS: '2000', APPORTION_HEADERS_TIMEOUT_MS: '1000' },
  });
});
after(async () => {
  await gateway.close();
  await upstream.close();
});

function head(line: string, ...headers: readonly string[]): string {
  const signedIn = `host: gw\r\nauthorization: Bearer ${gateway.adminKey}`;
  return `${[line, signedIn, 'content-type: application/json', ...headers].join('\r\n')}\r\n\r\n`;
}

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

async function ask(path: string, init: Init = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const headers = { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json', ...init.headers };
  const answer = await fetch(gateway.url + path, { ...init, headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body, headers });

const callsAtUpstream = async (): Promise<number> => (await upstream.received()).length;

describe('smuggling', () => {
  const whole = `content-length: ${CALL.length}`;
  const smuggled = (): string => head(`POST ${CHAT} HTTP/1.1`, whole, 'connection: close') + CALL;
  const SENT: readonly (readonly [string, readonly string[], string])[] = [
    ['a length and chunks', ['content-length: 5', 'transfer-encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', [whole, 'content-length: 3'], CALL],
    ['one length twice', [whole, whole], CALL],
    ['two lengths in one header', [`${whole}, ${CALL.length}`], CALL],
    ['a length with a sign', [`content-length: +${CALL.length}`], CALL],
    ['chunks that are not the last coding', ['transfer-encoding: chunked, identity'], '0\r\n\r\n'],
    ['an unknown coding', ['transfer-encoding: xchunked'], '0\r\n\r\n'],
    ['a space before the colon', ['transfer-encoding : chunked'], '0\r\n\r\n'],
    ['a folded header', ['x-a: b', ' transfer-encoding: chunked', whole], CALL],
    ['a folded length', ['content-length:', ` ${CALL.length}`], CALL],
    ['a null byte', ['x-a: b\0c', whole], CALL],
    ['a chunk whose extension has a bare line feed', ['transfer-encoding: chunked'], '5;x\n\r\nhello\r\n0\r\n\r\n'],
  ];
  for (const [what, headers, body] of SENT) {
    test(`${what}: one 400, and the connection is closed before what follows is read`, async () => {
      const known = await callsAtUpstream();
      const answer = await sendRaw(gateway.url, head(`POST ${CHAT} HTTP/1.1`, ...headers) + body + smuggled());
      assert.deepEqual(statusesOf(answer), [400]);
      assert.equal(await callsAtUpstream(), known);
    });
  }

  test('request lines that are none', async () => {
    const lines = [`POST ${CHAT} x HTTP/1.1`, `post ${CHAT} HTTP/1.1`, `POST ${CHAT} HTTP/9.9`, `FOO ${CHAT} HTTP/1.1`];
    for (const line of lines) {
      assert.deepEqual(statusesOf(await sendRaw(gateway.url, head(line, whole) + CALL + smuggled())), [400], line);
    }
    assert.deepEqual(statusesOf(await sendRaw(gateway.url, smuggled().replaceAll('\r\n', '\n'))), [400]);
    assert.deepEqual(
      statusesOf(await sendRaw(gateway.url, 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: gw\r\n\r\n')),
      [],
    );
  });

  test('an absolute address names a route of this server, never another server', async () => {
    const line = 'GET http://169.254.169.254/latest/meta-data HTTP/1.1';
    assert.deepEqual(statusesOf(await sendRaw(gateway.url, head(line, 'connection: close'))), [404]);
  });

  test('a method that nothing takes is told so, and is not taken for a GET', async () => {
    for (const method of ['TRACE', 'PURGE', 'PROPFIND']) {
      const answer = await sendRaw(gateway.url, head(`${method} /key/list HTTP/1.1`, 'connection: close'));
      assert.deepEqual(statusesOf(answer), [405], method);
    }
  });

  test('a path that leads back on its way reaches no provider', async () => {
    const known = await callsAtUpstream();
    for (const way of ['..', '%2e%2e', '.%2E', '%252e%252e', '..;x']) {
      for (const path of [`/v1/files/${way}/chat/completions`, `/v1/batches/x/${way}/${way}/chat/completions`]) {
        const line = `POST ${path} HTTP/1.1`;
        const answer = await sendRaw(gateway.url, head(line, whole, 'connection: close') + CALL);
        assert.deepEqual(statusesOf(answer), [404], path);
      }
    }
    assert.equal(await callsAtUpstream(), known);
  });

  test('line ends in tags, ids and header tags stay out of every header, there and back', async () => {
    const evil = 'a\r\nx-evil: 1\r\n\r\nHTTP/1.1 200 OK';
    const bodies = [
      { tags: { feature: evil } },
      { request_tags: [evil] },
      { session_id: evil },
      { entity_type: 'customer', entity_id: evil },
      { user: evil },
    ];
    for (const fields of bodies) {
      const body = JSON.stringify({ ...JSON.parse(CALL), ...fields });
      const { headers, status } = await post(CHAT, body, { 'x-apportion-explain': 'tags' });
      assert.ok(status === 200 || status === 400, `${status}`);
      assert.equal(headers.get('x-evil'), null);
    }
    for (const { headers } of await upstream.received()) assert.ok(!('x-evil' in headers));
  });
});

describe('what a caller cannot make this server ask', () => {
  let trap: Server;
  let trapUrl = '';
  let caught = 0;
  before(async () => {
    trap = createServer((_, response) => {
      caught += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => void trap.listen(0, '127.0.0.1', resolve));
    const address = trap.address();
    if (typeof address === 'object' && address !== null) trapUrl = `http://127.0.0.1:${address.port}`;
  });
  after(() => trap.close());

  test('another address than the provider’s, whatever fields and headers of other gateways say', async () => {
    const fields = ['api_base', 'base_url', 'api_url', 'custom_llm_provider', 'litellm_params', 'target_url'];
    for (const field of fields) {
      const value = field === 'litellm_params' ? { api_base: trapUrl } : trapUrl;
      await post(CHAT, JSON.stringify({ ...JSON.parse(CALL), [field]: value }));
    }
    const headers = [
      'x-portkey-custom-host',
      'helicone-target-url',
      'helicone-openai-api-base',
      'x-forwarded-host',
      'x-upstream-url',
    ];
    for (const header of headers) await post(CHAT, CALL, { [header]: trapUrl });
    await post(CHAT, JSON.stringify({ ...JSON.parse(CALL), model: trapUrl }));
    await post(CHAT, JSON.stringify({ ...JSON.parse(CALL), model: `openai/../../${trapUrl}` }));
    assert.equal(caught, 0);
  });

  test('providers are said at the start only: no request adds or changes one', async () => {
    const { ROUTE_RIGHTS } = await import('../../src/admin/route-rights.ts');
    assert.deepEqual(
      Object.keys(ROUTE_RIGHTS).filter((route) => /provider|upstream|deployment|model/.test(route)),
      [],
    );
  });
});

describe('files', () => {
  test('no address leads out of the dashboard’s folder', async () => {
    const outside = [
      '../package.json',
      '..%2f..%2fpackage.json',
      '%2e%2e/%2e%2e/package.json',
      '..%5c..%5cpackage.json',
      '%00',
      'a%00.js',
      '/etc/passwd',
      '.',
      '..',
    ];
    for (const way of outside) {
      for (const root of ['/assets/', '/ui/', '/', '/assets/x/../']) {
        const answer = await sendRaw(gateway.url, head(`GET ${root}${way} HTTP/1.1`, 'connection: close'));
        const [status = 0] = statusesOf(answer);
        assert.ok(status < 500, `${root}${way}: ${status}`);
        assert.ok(!/"dependencies"|root:x:/.test(answer), `${root}${way}`);
        // Every address under /ui is the dashboard's one page.
        if (status === 200) assert.match(answer, /<!doctype html>/i, `${root}${way}`);
      }
    }
  });
});

describe('input', () => {
  const NASTY = [
    "' OR 1=1 --",
    "'; DROP TABLE entries; --",
    '`) OR 1=1 --',
    "\\' OR 1=1 --",
    "a') UNION ALL SELECT * FROM system.users --",
    '{x:Identifier}',
    '${jndi:ldap://x}',
    '../../etc/passwd',
    '__proto__',
    'constructor.prototype',
  ];

  test('no parameter of a report is taken for SQL', async () => {
    await post(CHAT, JSON.stringify({ ...JSON.parse(CALL), tags: { team: 'growth' } }));
    const parameters = [
      'group_by',
      'tags',
      'model',
      'provider',
      'team',
      'entity_type',
      'entity_id',
      'start_date',
      'timezone',
      'interval',
      'sort',
      'order_by',
      'limit',
      'cursor',
      'session_id',
      'status',
      'type',
      'key',
    ];
    const reports = [
      '/v1/analytics/costs',
      '/v1/analytics/costs/timeseries',
      '/v1/events',
      '/v1/entities',
      '/v1/sessions',
      '/v1/tags',
      '/spend/logs',
      '/spend/tags',
      '/global/spend/tags',
      '/tag/daily/activity',
    ];
    for (const report of reports) {
      for (const nasty of NASTY) {
        const query = new URLSearchParams(parameters.map((name): [string, string] => [name, nasty]));
        const all = await ask(`${report}?${query.toString()}`);
        assert.ok(
          all.status === 400 || all.status === 404 || all.status === 200,
          `${report}: ${all.status} ${all.text}`,
        );
      }
    }
    for (const nasty of NASTY) {
      for (const query of [
        `tags=team:${encodeURIComponent(nasty)}`,
        `group_by=tags.${encodeURIComponent(nasty)}`,
        `tags=${encodeURIComponent(nasty)}:x`,
      ]) {
        const { status, text } = await ask(`/v1/analytics/costs?${query}`);
        assert.ok(status === 200 || status === 400, `${query}: ${status} ${text}`);
        if (status === 200 && query.startsWith('tags=team:'))
          assert.equal(JSON.parse(text).total_events ?? 0, 0, query);
      }
      for (const path of ['/v1/events/', '/v1/sessions/', '/v1/tags/']) {
        const { status, text } = await ask(path + encodeURIComponent(nasty));
        assert.ok(status < 500, `${path}${nasty}: ${status} ${text}`);
      }
    }
  });

  test('names of prototypes in bodies are names like others, or refused', async () => {
    const bodies = [
      '{"__proto__":{"blocked":true}}',
      '{"constructor":{"prototype":{"blocked":true}}}',
      '{"metadata":{"__proto__":{"polluted":"yes"}}}',
      '{"metadata":{"constructor":{"prototype":{"polluted":"yes"}}}}',
      '{"tags":["__proto__:x"],"locked_tags":{"__proto__":"x"}}',
    ];
    for (const body of bodies) {
      const { status } = await post('/key/generate', body);
      assert.ok(status === 200 || status === 400, `${body}: ${status}`);
    }
    const called = await post(
      CHAT,
      CALL.replace('{', '{"tags":{"__proto__":"x","constructor":"y"},"metadata":{"__proto__":{"polluted":"yes"}},'),
    );
    assert.ok(called.status === 200 || called.status === 400);
    const { text } = await ask('/v1/me');
    assert.ok(!text.includes('polluted'));
    const made = JSON.parse((await post('/key/generate', '{}')).text);
    assert.deepEqual([made.blocked, made.metadata, made.polluted], [false, {}, undefined]);
  });

  test('deep nesting, long lists and compressed bodies are refused, and the next request is served', async () => {
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 'v'])));
    const compressed = gzipSync(Buffer.alloc(50 * 1024 * 1024, 32));
    for (const [path, body] of [
      [CHAT, CALL.replace('{', `{"metadata":${deep(50_000)},`)],
      [CHAT, CALL.replace('{', `{"tags":${many},`)],
      ['/key/generate', `{"metadata":{"a":${deep(20_000)}}}`],
      ['/key/generate', `{"metadata":{"tags":${many}}}`],
      ['/key/generate', `{"metadata":{"a":"${'a'.repeat(300_000)}"}}`],
    ] as const) {
      const { status } = await post(path, body);
      assert.ok(status === 400 || status === 413, `${path} ${body.slice(0, 60)}: ${status}`);
    }
    for (const path of [CHAT, '/key/generate']) {
      const { status } = await ask(path, { method: 'POST', body: compressed, headers: { 'content-encoding': 'gzip' } });
      assert.ok(status === 400 || status === 413 || status === 415, `${path}: ${status}`);
    }
    assert.equal((await post(CHAT, CALL)).status, 200);
    assert.equal((await ask('/v1/me')).status, 200);
  });

  test('headers that are too large or too many are a 431', async () => {
    const large = await sendRaw(gateway.url, head('GET /healthz HTTP/1.1', `x-a: ${'a'.repeat(20_000)}`));
    const many = Array.from({ length: 3000 }, (_, index) => `x-${index}: 1`);
    assert.deepEqual(statusesOf(large), [431]);
    assert.deepEqual(statusesOf(await sendRaw(gateway.url, head('GET /healthz HTTP/1.1', ...many))), [431]);
  });

  test('who sends headers or a body without end is cut off', async () => {
    const slowHeaders = await sendRaw(gateway.url, `POST ${CHAT} HTTP/1.1\r\nhost: gw\r\nx-a: b`);
    assert.deepEqual(statusesOf(slowHeaders), [408]);
    const slowBody = await sendRaw(gateway.url, `${head(`POST ${CHAT} HTTP/1.1`, 'content-length: 1000')}{"model":`);
    assert.deepEqual(statusesOf(slowBody), [408]);
  });
});
