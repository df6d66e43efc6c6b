import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ADMIN_KEY, openAdmin } from './open-admin.fixture.ts';
import { ROUTE_RIGHTS } from './route-rights.ts';

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, '../../docs/alerts.md'), 'utf8');

const SECRET = 'whsec_c2VjcmV0LW9mLXRoZS1kb2N1bWVudGF0aW9uLXBhZ2U=';

test('every command of docs/alerts.md answers what the page shows of it', async (context) => {
  const { app, close } = await openAdmin(undefined, { mail: { url: 'smtp://localhost', from: 'a@example.com' } });
  context.after(close);
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const blocks = Array.from(page.matchAll(/^```(sh|json)\n(.*?)^```$/gms), ([, language, code = '']) => ({
    language,
    code,
  }));
  assert.equal(blocks.length, 14);
  let answer = '';
  for (const { language, code } of blocks) {
    if (language === 'sh') {
      const command = code.replaceAll('http://localhost:4000', address);
      answer = (await run('bash', ['-c', command], { env: { PATH: process.env['PATH'], ADMIN_KEY } })).stdout;
    } else assert.partialDeepStrictEqual(JSON.parse(answer), JSON.parse(code), answer);
  }
});

test('every request about alerts is on the page, and every one on the page is there', () => {
  const described = Array.from(
    page.matchAll(/`((?:GET|POST|PATCH|DELETE) \/v1\/alerts\/[\w/{}]+)/g),
    ([, route = '']) => route.replaceAll(/\{(\w+)\}/g, ':$1'),
  );
  const real = Object.keys(ROUTE_RIGHTS).filter((route) => route.includes('/v1/alerts/'));
  assert.deepEqual([...new Set(described)].toSorted(), real.toSorted());
});

test('what the page says of signatures is true of a real message, in both of its languages', async (context) => {
  const received = Promise.withResolvers<{ readonly headers: IncomingHttpHeaders; readonly body: string }>();
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.resolve({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  context.after(() => receiver.close());
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const admin = await openAdmin(undefined, { alertTargets: { allowPrivate: true, allowedHosts: [] } });
  context.after(admin.close);
  const channel = { kind: 'webhook', name: 'hook', url, secret: SECRET };
  const { id } = (await admin.ask('/v1/alerts/channels', channel)).body as { readonly id: string };
  assert.partialDeepStrictEqual((await admin.ask(`/v1/alerts/channels/${id}/test`, {})).body, {
    ok: true,
    status: 200,
  });
  const message = await received.promise;
  const directory = await mkdtemp(join(tmpdir(), 'apportion-signature-'));
  context.after(() => rm(directory, { recursive: true }));
  const [python = '', js = ''] = ['python', 'js'].map(
    (language) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1],
  );
  await writeFile(join(directory, 'ours.py'), python);
  await writeFile(join(directory, 'ours.mjs'), js);
  for (const [body, expected] of [
    [message.body, 'True,true'],
    [`${message.body} `, 'False,false'],
  ] as const) {
    await writeFile(join(directory, 'message.json'), JSON.stringify({ ...message, body }));
    const inPython = await run('python3', ['-c', PYTHON, SECRET], { cwd: directory });
    const inJs = await run(process.execPath, ['--input-type=module', '-e', JS, SECRET], { cwd: directory });
    assert.equal(`${inPython.stdout.trim()},${inJs.stdout.trim()}`, expected);
  }
});

const PYTHON = `
import json, sys
from ours import is_ours
m = json.load(open("message.json"))
print(is_ours(m["headers"], m["body"].encode(), sys.argv[1]))`;

const JS = `
import { readFileSync } from 'node:fs';
import { isOurs } from './ours.mjs';
const { headers, body } = JSON.parse(readFileSync('message.json', 'utf8'));
console.log(isOurs(headers, body, process.argv[1]));`;
