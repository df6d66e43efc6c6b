import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startGateway, until, type Gateway } from '#world';
import { makeKey } from './record.ts';

describe('what a key may be used for, and from where', () => {
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway({ env: { APPORTION_TRUSTED_PROXIES: '127.0.0.1' } });
  });
  after(() => gateway.close());

  const CHAT = { model: 'sandbox-mini', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };

  async function ask(key: string, path: string, headers: Record<string, string> = {}): Promise<[number, string]> {
    const isRead = path === '/v1/models';
    const answer = await fetch(`${gateway.url}${path}`, {
      method: isRead ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(isRead ? {} : { body: JSON.stringify(CHAT) }),
    });
    return [answer.status, await answer.text()];
  }

  test('a key with allowed routes uses those and no others, and is told so in the dialect it speaks', async () => {
    const { key } = await makeKey(gateway, { allowed_routes: ['/v1/chat/completions', '/v1/files/*'] });
    for (const path of [
      '/v1/chat/completions',
      '/chat/completions',
      '/api/v1/chat/completions',
      '//v1//chat/completions/',
    ])
      assert.equal((await ask(key, path))[0], 200, path);
    const [status, text] = await ask(key, '/v1/embeddings');
    assert.equal(status, 403);
    const { error } = JSON.parse(text);
    assert.deepEqual(
      [error.type, error.code, error.message.includes('may not use /embeddings')],
      ['permission_error', 'not_allowed', true],
    );
    const [anthropicStatus, anthropicText] = await ask(key, '/v1/messages', { 'anthropic-version': '2023-06-01' });
    assert.deepEqual([anthropicStatus, JSON.parse(anthropicText).type], [403, 'error']);
    for (const path of ['/v1/models', '/v1/tags/check', '/v1/responses', '/v1beta/models/x:generateContent']) {
      assert.equal((await ask(key, path))[0], 403, path);
    }
  });

  test('a group of routes is a dialect', async () => {
    const { key } = await makeKey(gateway, { allowed_routes: ['anthropic_routes'] });
    assert.equal((await ask(key, '/v1/messages'))[0], 200);
    assert.equal((await ask(key, '/v1/chat/completions'))[0], 403);
    const { key: unheld } = await makeKey(gateway, { allowed_routes: ['llm_api_routes'] });
    assert.equal((await ask(unheld, '/v1/chat/completions'))[0], 200);
  });

  test('a key with allowed addresses works from there, as trusted proxies tell it', async () => {
    const { key } = await makeKey(gateway, { allowed_ips: ['192.0.2.0/24', '2001:db8::/32'] });
    const from = async (forwarded: string): Promise<number> =>
      (await ask(key, '/v1/chat/completions', { 'x-forwarded-for': forwarded }))[0];
    assert.equal(await from('192.0.2.77'), 200);
    assert.equal(await from('2001:db8::5'), 200);
    assert.equal(await from('198.51.100.1'), 403);
    assert.equal(await from('192.0.2.77, 198.51.100.1'), 403);
    const [status, text] = await ask(key, '/v1/chat/completions');
    assert.equal(status, 403);
    assert.match(JSON.parse(text).error.message, /may not be used from 127\.0\.0\.1/);
    const answer = await fetch(`${gateway.url}/key/update`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ key, allowed_ips: [] }),
    });
    assert.equal(answer.status, 200);
    assert.equal((await ask(key, '/v1/chat/completions'))[0], 200);
  });

  test('when a key was last used, and what one without a budget spent, is known once its call is in the store', async () => {
    const { key } = await makeKey(gateway, {});
    const info = async (): Promise<{ readonly last_active: string | null; readonly spend_exact: string }> => {
      const answer = await fetch(`${gateway.url}/key/info?key=${key}`, {
        headers: { authorization: `Bearer ${gateway.adminKey}` },
      });
      return JSON.parse(await answer.text()).info;
    };
    assert.partialDeepStrictEqual(await info(), { last_active: null, spend_exact: '0' });
    const made = Date.now();
    assert.equal((await ask(key, '/v1/chat/completions'))[0], 200);
    const at = await until('the call to be in the store', 60_000, async () => (await info()).last_active ?? undefined);
    assert.ok(Math.abs(Date.parse(at) - made) < 300_000, at);
    assert.ok(Number((await info()).spend_exact) > 0);
  });
});
