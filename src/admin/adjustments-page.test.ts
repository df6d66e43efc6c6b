import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { loadPriceBook } from '#pricing';
import { routesOf } from './drawn-routes.fixture.ts';
import { ADMIN_KEY, type OpenAdmin } from './open-admin.fixture.ts';
import { openAdminWithCalls } from './prices/repricing.fixture.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../docs/adjustments.md'), 'utf8');

let admin: OpenAdmin;

before(async () => {
  const body = { entity_type: 'customer', entity_id: 'acme', tags: { env: 'prod' } };
  const call = { cost: null, body };
  admin = await openAdminWithCalls(
    [
      { ...call, at: '2026-01-01T12:00:00Z', cost: '0.05' },
      { ...call, at: '2026-01-02T12:00:00Z', lost: '0.0125' },
      { ...call, at: '2026-01-03T12:00:00Z', lost: '0.0125' },
      { ...call, at: '2026-01-04T12:00:00Z', lost: '0.004' },
    ],
    { book: await loadPriceBook() },
  );
});
after(() => admin.close());

test('every command of docs/adjustments.md answers what the page shows of it', async () => {
  const address = await admin.app.listen({ port: 0, host: '127.0.0.1' });
  const blocks = Array.from(page.matchAll(/^```(sh|json)\n(.*?)^```$/gms), ([, language, code = '']) => ({
    language,
    code,
  }));
  assert.ok(blocks.length >= 18, `${blocks.length} blocks`);
  let answer = '';
  for (const { language, code } of blocks) {
    if (language === 'sh') {
      const command = code.replaceAll('http://localhost:4000', address);
      answer = (await run('bash', ['-c', command], { env: { PATH: process.env['PATH'], ADMIN_KEY } })).stdout;
    } else assert.partialDeepStrictEqual(JSON.parse(answer), JSON.parse(code), answer);
  }
});

test('every request about adjustments and doubts is on the page, and every one on the page is there', () => {
  const described = Array.from(page.matchAll(/`(GET|POST|DELETE) (\/[\w/{}-]+)/g), ([, method = '', url = '']) => ({
    method,
    url: url.replaceAll(/\{(\w+)\}/g, ':$1'),
  }));
  for (const { method, url } of described) assert.ok(admin.app.hasRoute({ method, url }), `${method} ${url}`);
  const real = routesOf(admin.app.printRoutes())
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url }) => `${method} ${url}`)
    .filter((route) => /\/v1\/(?:adjustments|in-doubt)\b|\/resolve$/.test(route));
  assert.ok(real.length >= 5, `${real.length} routes`);
  const onPage = new Set(described.map(({ method, url }) => `${method} ${url}`));
  assert.deepEqual(
    real.filter((route) => !onPage.has(route)),
    [],
  );
});
