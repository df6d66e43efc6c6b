import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { welcomeText } from './index.ts';

const welcome = {
  url: 'http://127.0.0.1:4000',
  dataDir: '/data',
  adminKey: 'sk-ap-admin-1',
  callKey: 'sk-ap-2',
  model: 'sandbox-mini',
  providers: ['sandbox'],
  today: '2026-07-01',
};

test('the first screen shows both keys, and its curl lines are what a shell understands', () => {
  const text = stripVTControlCharacters(welcomeText(welcome));
  assert.ok(text.includes('Admin key   sk-ap-admin-1') && text.includes('Call key    sk-ap-2'));
  const [call, report] = [...text.matchAll(/^ {2}(curl (?:.*\\\n)*.*)$/gm)].map((match) => match[1] ?? '');
  const words = (command: string | undefined): string[] =>
    execFileSync('bash', ['-c', `curl() { printf '%s\\n' "$@"; }; ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
  const sent = words(call);
  assert.deepEqual(sent.slice(0, -1), [
    'http://127.0.0.1:4000/v1/chat/completions',
    '-H',
    'Authorization: Bearer sk-ap-2',
    '-H',
    'Content-Type: application/json',
    '-d',
  ]);
  assert.deepEqual(JSON.parse(sent.at(-1) ?? ''), {
    model: 'sandbox-mini',
    messages: [{ role: 'user', content: 'Hello' }],
    tags: { feature: 'first-call' },
  });
  assert.equal(
    words(report).at(-1),
    'http://127.0.0.1:4000/v1/analytics/costs?start_date=2026-07-01&group_by=tags.feature',
  );
});

test('on a later start no key is shown', () => {
  const text = welcomeText({ ...welcome, adminKey: null, callKey: null });
  assert.ok(!text.includes('sk-ap-') && text.includes('YOUR_CALL_KEY') && text.includes('YOUR_ADMIN_KEY'));
});
