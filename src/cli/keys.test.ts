import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGateway, type Gateway } from '#world';
import { systemClock } from '#std';
import { keys } from './keys.ts';

/** What the command printed, and how it ended. */
async function reset(dataDir: string): Promise<{ readonly code: number; readonly key: string; readonly text: string }> {
  let text = '';
  const write = (line: string): void => {
    text += `${line}\n`;
  };
  const deps = { terminal: { say: write, complain: write }, clock: systemClock };
  const code = await keys.run(['reset-admin', '--data-dir', dataDir], deps);
  return { code, text, key: /sk-ap-admin-\S+/.exec(text)?.[0] ?? '' };
}

async function answersTo(gateway: Gateway, key: string): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1/audit?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  await answer.arrayBuffer();
  return answer.status;
}

async function callsWith(gateway: Gateway, key: string): Promise<number> {
  const body = JSON.stringify({ model: 'sandbox-mini', messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

test('a lost admin key is replaced, with the server running or stopped; the old one stops working and it is audited', async (t) => {
  // Without a configured key the server makes one, and shows it.
  const gateway = await startGateway({ env: { APPORTION_ADMIN_KEY: '' } });
  t.after(() => gateway.close());
  const first = /sk-ap-admin-\S+/.exec(gateway.output())?.[0] ?? '';
  assert.equal(await answersTo(gateway, first), 200);

  const running = await reset(gateway.dataDir);
  assert.deepEqual([running.code, await answersTo(gateway, running.key)], [0, 200], running.text);
  assert.equal(await answersTo(gateway, first), 401);
  // The gateway's own keys are the new ones too.
  assert.deepEqual([await callsWith(gateway, running.key), await callsWith(gateway, first)], [200, 401]);

  await gateway.stop();
  const stopped = await reset(gateway.dataDir);
  assert.equal(stopped.code, 0);
  await gateway.restart();
  assert.deepEqual([await answersTo(gateway, stopped.key), await answersTo(gateway, running.key)], [200, 401]);
  assert.deepEqual([await callsWith(gateway, stopped.key), await callsWith(gateway, running.key)], [200, 401]);

  const audit = await fetch(`${gateway.url}/v1/audit`, { headers: { authorization: `Bearer ${stopped.key}` } });
  const { data }: { data: { actor: string; action: string }[] } = JSON.parse(await audit.text());
  assert.deepEqual(
    data.map(({ actor, action }) => `${actor} ${action}`),
    ['command_line admin_key.reset', 'command_line admin_key.reset'],
  );
  // Only hashes are kept.
  for (const file of ['control.db', 'control-snapshot.json'])
    assert.equal(readFileSync(join(gateway.dataDir, file)).includes(stopped.key), false);
});
