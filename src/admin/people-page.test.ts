import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ADMIN_KEY, openAdmin } from './open-admin.fixture.ts';
import { ROUTE_RIGHTS } from './route-rights.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../docs/people-and-roles.md'), 'utf8');

test('every command of docs/people-and-roles.md answers what the page shows of it', async (context) => {
  const { app, close } = await openAdmin();
  context.after(close);
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const blocks = Array.from(page.matchAll(/^```(sh|json)\n(.*?)^```$/gms), ([, language, code = '']) => ({
    language,
    code,
  }));
  assert.equal(blocks.length, 6);
  let answer = '';
  for (const { language, code } of blocks) {
    if (language === 'sh') {
      const command = code.replaceAll('http://localhost:4000', address);
      answer = (await run('bash', ['-c', command], { env: { PATH: process.env['PATH'], ADMIN_KEY } })).stdout;
    } else assert.partialDeepStrictEqual(JSON.parse(answer), JSON.parse(code));
  }
});

test('every request about people and tokens is on the page, and every one on the page is there', () => {
  const described = Array.from(page.matchAll(/`((?:GET|POST|PATCH|DELETE) \/v1\/[\w/{}]+)/g), ([, route = '']) =>
    route.replaceAll(/\{(\w+)\}/g, ':$1'),
  );
  const real = Object.keys(ROUTE_RIGHTS).filter((route) => /\/v1\/(?:me|members|tokens)\b/.test(route));
  assert.deepEqual([...new Set(described)].toSorted(), [...real, 'GET /v1/audit'].toSorted());
});
