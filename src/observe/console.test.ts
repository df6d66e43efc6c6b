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
  dialect: 'openai' as const,
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

test('a gateway of one dialect shows a call in that dialect', () => {
  const anthropic = welcomeText({ ...welcome, model: 'claude-haiku-4-5', dialect: 'anthropic' });
  assert.ok(
    anthropic.includes('/v1/messages') && anthropic.includes("new Anthropic({ baseURL: 'http://127.0.0.1:4000'"),
  );
  const gemini = welcomeText({ ...welcome, model: 'gemini-2.5-flash', dialect: 'gemini' });
  assert.ok(gemini.includes('/v1beta/models/gemini-2.5-flash:generateContent') && gemini.includes('new GoogleGenAI('));
});

test('on a later start no key is shown', () => {
  const text = welcomeText({ ...welcome, adminKey: null, callKey: null });
  assert.ok(!text.includes('sk-ap-') && text.includes('YOUR_CALL_KEY') && text.includes('YOUR_ADMIN_KEY'));
});
