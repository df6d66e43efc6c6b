import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { routesOf } from '../drawn-routes.fixture.ts';
import { ADMIN_KEY, openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../../docs/budgets-api.md'), 'utf8');

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin();
});
after(() => admin.close());

test('every command of docs/budgets-api.md answers what the page shows of it', async () => {
  const address = await admin.app.listen({ port: 0, host: '127.0.0.1' });
  const blocks = Array.from(page.matchAll(/^```(sh|json)\n(.*?)^```$/gms), ([, language, code = '']) => ({
    language,
    code,
  }));
  assert.ok(blocks.length >= 16, `${blocks.length} blocks`);
  let answer = '';
  for (const { language, code } of blocks) {
    if (language === 'sh') {
      const command = code.replaceAll('http://localhost:4000', address);
      answer = (await run('bash', ['-c', command], { env: { PATH: process.env['PATH'], ADMIN_KEY } })).stdout;
    } else assert.partialDeepStrictEqual(JSON.parse(answer), JSON.parse(code), answer);
  }
});

test('every request about budgets, limits, customers and users is on the page, and every one on the page is there', async () => {
  const described = Array.from(
    page.matchAll(/`(GET|POST|PATCH|DELETE) (\/[\w/{}-]+)/g),
    ([, method = '', url = '']) => ({
      method,
      url: url.replaceAll(/\{(\w+)\}/g, ':$1'),
    }),
  );
  for (const { method, url } of described) assert.ok(admin.app.hasRoute({ method, url }), `${method} ${url}`);
  const real = routesOf(admin.app.printRoutes())
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, url }) => `${method} ${url}`)
    .filter((route) => / \/(?:v1\/(?:budgets|limits|rules)|customer|user|budget)\b/.test(route));
  assert.ok(real.length >= 30, `${real.length} routes`);
  const onPage = new Set(described.map(({ method, url }) => `${method} ${url}`));
  assert.deepEqual(
    real.filter((route) => !onPage.has(route)),
    [],
  );
});
