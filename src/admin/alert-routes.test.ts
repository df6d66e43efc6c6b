import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAdmin } from './open-admin.fixture.ts';

const SECRETS = ['T000/B000/XXXX', 'R0123456789ABCDEFGHIJKLMNOPQRSTU', 'hooks/of-ours'];

const CHANNELS = [
  { kind: 'slack', name: 'a', url: 'https://hooks.slack.com/services/T000/B000/XXXX' },
  { kind: 'pagerduty', name: 'b', routing_key: 'R0123456789ABCDEFGHIJKLMNOPQRSTU' },
  { kind: 'webhook', name: 'c', url: 'https://example.com/hooks/of-ours' },
];

test('secrets of channels are in no answer, in no audit record, and gone from the database with the channel', async (context) => {
  const { ask, accounts, close } = await openAdmin();
  context.after(close);
  let signing = '';
  for (const channel of CHANNELS) {
    const { status, body } = await ask('/v1/alerts/channels', channel);
    assert.equal(status, 200);
    const { id, secret } = body as { readonly id: string; readonly secret?: string };
    signing = secret ?? signing;
    await ask(`/v1/alerts/channels/${id}`, { name: 'renamed' }, 'PATCH');
  }
  assert.match(signing, /^whsec_/);
  const [listed, audit] = await Promise.all([ask('/v1/alerts/channels'), ask('/v1/audit')]);
  const { data } = listed.body as { readonly data: readonly { readonly id: string; readonly name: string }[] };
  assert.deepEqual(
    data.map(({ name }) => name),
    ['renamed', 'renamed', 'renamed'],
  );
  for (const secret of [...SECRETS, signing]) assert.ok(!JSON.stringify([listed, audit]).includes(secret));
  for (const { id } of data) assert.equal((await ask(`/v1/alerts/channels/${id}`, {}, 'DELETE')).status, 200);
  const rows = await accounts.database
    .withTables<{ alert_channels: { shown: string; secrets: string } }>()
    .selectFrom('alert_channels')
    .select(['shown', 'secrets'])
    .execute();
  assert.deepEqual(
    rows.map(({ shown, secrets }) => shown + secrets),
    ['{}{}', '{}{}', '{}{}'],
  );
});

test('a change of a channel keeps its secret, and a refused one does not repeat it', async (context) => {
  const { ask, close } = await openAdmin();
  context.after(close);
  const { body } = await ask('/v1/alerts/channels', CHANNELS[1]);
  const { id } = body as { readonly id: string };
  const refused = await ask(`/v1/alerts/channels/${id}`, { routing_key: 'R0123 secret' }, 'PATCH');
  assert.equal(refused.status, 400);
  assert.ok(!JSON.stringify(refused.body).includes('R0123'));
});

test('a channel inside the own network is refused, and says who could allow it', async (context) => {
  const { ask, close } = await openAdmin();
  context.after(close);
  const metadata = { kind: 'webhook', name: 'x', url: 'http://169.254.169.254/latest/meta-data/' };
  const { status, body } = await ask('/v1/alerts/channels', metadata);
  assert.equal(status, 400);
  assert.match(JSON.stringify(body), /inside the own network.*alerts\.allowed_hosts/);
});

test('a rule is made, changed, muted and removed, and each is in the audit log', async (context) => {
  const { ask, close } = await openAdmin();
  context.after(close);
  const made = await ask('/v1/alerts/rules', { name: 'r', type: 'spend_over', amount_usd: '10' });
  const { id } = made.body as { readonly id: string };
  const url = `/v1/alerts/rules/${id}`;
  assert.partialDeepStrictEqual(await ask(url, { amount_usd: '20.5' }, 'PATCH'), { body: { amount_usd: '20.5' } });
  assert.equal((await ask(url, { amont_usd: '20' }, 'PATCH')).status, 400);
  assert.equal((await ask(`${url}/mute`, { until: '2020-01-01T00:00:00Z' })).status, 400);
  const muted = await ask(`${url}/mute`, { until: '2199-01-01T00:00:00Z' });
  assert.partialDeepStrictEqual(muted.body, { muted_until: '2199-01-01T00:00:00.000Z' });
  assert.partialDeepStrictEqual((await ask(`${url}/unmute`, {})).body, { muted_until: null });
  assert.equal((await ask(url, {}, 'DELETE')).status, 200);
  assert.equal((await ask(url)).status, 404);
  const { data } = (await ask('/v1/audit')).body as { readonly data: readonly { readonly action: string }[] };
  assert.deepEqual(
    data.map(({ action }) => action).filter((action) => action.startsWith('alert')),
    ['alert_rule.delete', 'alert_rule.unmute', 'alert_rule.mute', 'alert_rule.update', 'alert_rule.create'],
  );
});

test('a rule sends to channels that are there, and a channel that one sends to stays', async (context) => {
  const { ask, close } = await openAdmin();
  context.after(close);
  const rule = { name: 'r', type: 'unpriced_calls', channels: ['alc_nobody'] };
  assert.partialDeepStrictEqual(await ask('/v1/alerts/rules', rule), {
    status: 400,
    body: { error: { param: 'channels' } },
  });
  const { id } = (await ask('/v1/alerts/channels', CHANNELS[0])).body as { readonly id: string };
  assert.equal((await ask('/v1/alerts/rules', { ...rule, channels: [id] })).status, 200);
  assert.equal((await ask(`/v1/alerts/channels/${id}`, {}, 'DELETE')).status, 409);
});
