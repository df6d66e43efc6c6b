import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { openAlertsIn, temporaryFile, WELL, type OpenAlerts } from './open-alerts.fixture.ts';
import { ok, openReceiver, type Receiver } from './receiver.fixture.ts';
import { startReplica } from './replica.fixture.ts';
import { standing } from './standing.fixture.ts';

const idsOf = ({ received }: Receiver): ReadonlySet<unknown> =>
  new Set(received.map(({ headers }) => headers['webhook-id']));

/** Alerts that find one thing, and a channel to tell it to. */
async function openWith(
  context: { after(work: () => Promise<void>): void },
  channel: Readonly<Record<string, unknown>>,
  given: Parameters<typeof openAlertsIn>[1] = {},
): Promise<OpenAlerts & { readonly secret: string | null; readonly channelId: string }> {
  const open = await openAlertsIn(':memory:', { health: async () => ({ ...WELL, quarantined: 3 }), ...given });
  context.after(open.close);
  const { channel: made, secret } = await open.alerts.channels.create({ name: 'channel', ...channel }, 'test');
  const rule = { type: 'journal_or_store_trouble', name: 'health', severity: 'critical', channels: [made.id] };
  await open.alerts.rules.create(rule, 'test');
  return { ...open, secret, channelId: made.id };
}

async function delivered({ alerts }: OpenAlerts): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = async (): Promise<void> => {
    await alerts.idle();
    const { items } = await alerts.deliveries({ channelId: null, eventId: null, limit: 100, cursor: null });
    if (items.length > 0 && items.every(({ delivery }) => delivery.state !== 'waiting')) resolve();
    else setTimeout(() => void ask(), 20);
  };
  void ask();
  return promise;
}

for (const [name, fails] of [
  ['answers 500', (response) => void response.writeHead(500).end('not now')],
  ['takes it and loses its answer', (response) => void response.destroy()],
  ['hangs', () => undefined],
] as const satisfies readonly (readonly [string, Parameters<Receiver['behave']>[0]])[]) {
  test(`a receiver that ${name} gets the same message again, with the same id, until it takes it`, async (context) => {
    const receiver = await openReceiver();
    context.after(receiver.close);
    const open = await openWith(context, { kind: 'webhook', url: receiver.url }, { timeoutMs: 300 });
    receiver.behave(fails);
    await open.alerts.start();
    await open.alerts.look();
    await receiver.until(3);
    receiver.behave(ok);
    await delivered(open);
    assert.equal(idsOf(receiver).size, 1);
    assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1);
    const { items } = await open.alerts.deliveries({ channelId: null, eventId: null, limit: 10, cursor: null });
    assert.deepEqual(
      items.map(({ delivery, attempts }) => [delivery.state, attempts[0]?.ok, attempts[0]?.answer]),
      [['delivered', 1, 'thanks']],
    );
  });
}

test('a receiver that is down gets one attempt for all that waits, not one for each', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  receiver.behave((response) => void response.writeHead(503).end());
  const standings = Array.from({ length: 15 }, (_, n) => standing(`customer-${n}`, '85'));
  const open = await openWith(context, { kind: 'webhook', url: receiver.url }, { standings: async () => standings });
  const { alerts, channelId } = open;
  await alerts.rules.create({ type: 'budget_threshold', name: 'b', channels: [channelId], percents: [80] }, 'test');
  await alerts.look();
  await alerts.idle();
  assert.equal(receiver.received.length, 1);
  receiver.behave(ok);
  await alerts.start();
  await delivered(open);
  assert.equal(idsOf(receiver).size, 16);
  assert.equal(receiver.received.length, 17);
});

test('what is refused for good is not sent again, and the history says why', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  receiver.behave((response) => void response.writeHead(302, { location: '/elsewhere' }).end());
  const open = await openWith(context, { kind: 'webhook', url: receiver.url });
  await open.alerts.start();
  await open.alerts.look();
  await delivered(open);
  assert.deepEqual(
    receiver.received.map(({ url }) => url),
    ['/hook'],
  );
  const { items } = await open.alerts.deliveries({ channelId: null, eventId: null, limit: 10, cursor: null });
  assert.deepEqual(
    items.map(({ delivery, attempts }) => [delivery.state, attempts[0]?.answer]),
    [['failed', 'The receiver redirects; redirects are not followed.']],
  );
});

test('of an answer only the beginning is read and kept', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  receiver.behave((response) => void response.writeHead(200).end('x'.repeat(5_000_000)));
  const open = await openWith(context, { kind: 'webhook', url: receiver.url });
  const answer = await open.alerts.channels.test(open.channelId, 'test');
  assert.deepEqual([answer.ok, answer.text.length], [true, 500]);
});

test('a ledger process killed between event and delivery delivers after its next start, with the same id', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const file = await temporaryFile(context);
  const here = await openAlertsIn(file);
  const { channel } = await here.alerts.channels.create({ kind: 'webhook', name: 'hook', url: receiver.url }, 'test');
  await here.alerts.rules.create({ type: 'budget_threshold', name: 'b', channels: [channel.id] }, 'test');
  await here.close();
  // The receiver has it, and nobody ever hears of that.
  receiver.behave(() => undefined);
  const first = await startReplica(file, 'node');
  first.begin({ spent: { acme: '85' }, crossed: [] });
  await receiver.until(1);
  await first.kill();
  receiver.behave(ok);
  const second = await startReplica(file, 'node');
  context.after(second.close);
  await second.look({ spent: { acme: '85' }, crossed: [['acme', 80]] });
  await receiver.until(2);
  await second.look({ spent: { acme: '85' }, crossed: [['acme', 80]] });
  assert.equal(idsOf(receiver).size, 1);
  assert.equal(receiver.received.length, 2);
});

test('a webhook is signed over id, time and body as Standard Webhooks says', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const open = await openWith(context, { kind: 'webhook', url: receiver.url });
  await open.alerts.look();
  await open.alerts.idle();
  const [{ headers, body } = assert.fail('nothing arrived')] = receiver.received;
  const key = Buffer.from((open.secret ?? '').replace('whsec_', ''), 'base64');
  assert.equal(key.length, 32);
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  assert.partialDeepStrictEqual(JSON.parse(body), {
    id: headers['webhook-id'],
    type: 'alert.firing',
    title: 'Alert: health',
    data: { severity: 'critical', state: 'firing', value: 'quarantine', figures: { quarantined: 3 } },
  });
});

test('Slack gets text in which nothing of a value is markup', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const standings = async () => [standing('<!channel> & co', '85')];
  const open = await openWith(context, { kind: 'slack', url: receiver.url }, { standings, health: async () => WELL });
  const rule = { type: 'budget_threshold', name: 'b', channels: [open.channelId], percents: [80] };
  await open.alerts.rules.create(rule, 'test');
  await open.alerts.look();
  await open.alerts.idle();
  const sentence = 'Budget each customer (&lt;!channel&gt; &amp; co) has reached $85.00 of $100.00 (85 %)';
  assert.deepEqual(JSON.parse(receiver.received[0]?.body ?? ''), {
    text: `*Alert: b*\n${sentence}, its mark of 80 % is passed.`,
  });
});

test('PagerDuty gets an incident, and its end by the same key', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  let quarantined = 3;
  const health = async () => ({ ...WELL, quarantined });
  const key = 'R'.repeat(32);
  const open = await openWith(context, { kind: 'pagerduty', routing_key: key, url: receiver.url }, { health });
  await open.alerts.look();
  await open.alerts.idle();
  quarantined = 0;
  await open.alerts.look();
  await open.alerts.idle();
  const [trigger, resolve] = receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.partialDeepStrictEqual(trigger, {
    routing_key: key,
    event_action: 'trigger',
    payload: { source: 'apportion', severity: 'critical' },
  });
  assert.deepEqual(resolve, { routing_key: key, event_action: 'resolve', dedup_key: trigger?.['dedup_key'] });
});

test('mail goes through the mail server of the operator, with the id of the notification', async (context) => {
  const mails: { readonly to: readonly string[]; readonly raw: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, raw: Buffer.concat(parts).toString() });
        done();
      });
    },
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  context.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = listening.address() as AddressInfo;
  const mail = { url: `smtp://127.0.0.1:${port}`, from: 'Apportion <alerts@example.com>' };
  const open = await openWith(context, { kind: 'email', to: ['ada@example.com', 'bob@example.com'] }, { mail });
  await open.alerts.look();
  await open.alerts.idle();
  const [{ to, raw } = assert.fail('no mail')] = mails;
  assert.deepEqual(to, ['ada@example.com', 'bob@example.com']);
  assert.match(raw, /^Subject: \[Apportion\] Alert: health\r?$/m);
  assert.match(raw, /^Message-ID: <ald_[0-9a-f]{32}@apportion>\r?$/im);
  assert.match(raw, /The store refused 3 entries/);
});

test('without a mail server of the operator there is no channel for mail', async (context) => {
  await assert.rejects(openWith(context, { kind: 'email', to: ['ada@example.com'] }), { param: 'kind' });
});
