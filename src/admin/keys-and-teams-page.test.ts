import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ADMIN_KEY, openAdmin } from './open-admin.fixture.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../docs/keys-and-teams.md'), 'utf8');

test('every command of docs/keys-and-teams.md answers what the page shows of it', async (context) => {
  const { app, close } = await openAdmin();
  context.after(close);
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const blocks = Array.from(page.matchAll(/^```(sh|json)\n(.*?)^```$/gms), ([, language, code = '']) => ({
    language,
    code,
  }));
  assert.ok(blocks.length >= 12);
  let answer = '';
  for (const { language, code } of blocks) {
    if (language === 'sh') {
      const command = code.replaceAll('http://localhost:4000', address);
      answer = (await run('bash', ['-c', command], { env: { PATH: process.env['PATH'], ADMIN_KEY } })).stdout;
    } else assert.partialDeepStrictEqual(JSON.parse(answer), JSON.parse(code));
  }
});

test('every request under key, team and tag is on the page, and every one on the page is there', async (context) => {
  const { app, close } = await openAdmin();
  context.after(close);
  const described = Array.from(page.matchAll(/`(GET|POST|PUT) (\/[\w/{}]+)/g), ([, method = '', url = '']) => ({
    method,
    url: url.replaceAll(/\{(\w+)\}/g, ':$1'),
  }));
  for (const { method, url } of described) assert.ok(app.hasRoute({ method, url }), `${method} ${url}`);
  const sources = ['key', 'team', 'tag'].map((noun) =>
    readFileSync(join(import.meta.dirname, `${noun}-routes.ts`), 'utf8'),
  );
  const real = sources.flatMap((text) =>
    Array.from(text.matchAll(/'(\/(?:key|team|tag)\/[\w/:]+)'/g), ([, url]) => url),
  );
  const onPage = new Set(described.map(({ url }) => url));
  assert.deepEqual(
    real.filter((url) => url === undefined || !onPage.has(url)),
    [],
  );
});
