import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Standing } from '#budgets';
import type { TimestampMs } from '#std';
import type { Health } from './judge-health.ts';
import { clockAt, openAlertsIn, temporaryFile, WELL, type OpenAlerts } from './open-alerts.fixture.ts';
import { openReceiver, type Receiver } from './receiver.fixture.ts';
import type { Ask } from './replica-main.fixture.ts';
import { startReplica } from './replica.fixture.ts';
import { BUDGET, DAY, NOON, standing } from './standing.fixture.ts';

async function withBudgetRule(
  { alerts }: OpenAlerts,
  receiver: Receiver,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { channel } = await alerts.channels.create({ kind: 'webhook', name: 'hook', url: receiver.url }, 'test');
  const body = { type: 'budget_threshold', name: 'budgets', channels: [channel.id], ...more };
  return (await alerts.rules.create(body, 'test')).id;
}

const kindsOf = ({ received }: Receiver): readonly string[] =>
  received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

const sentencesOf = ({ received }: Receiver): readonly string[] =>
  received.map(({ body }) => (JSON.parse(body) as { text: string }).text);

async function told({ alerts }: OpenAlerts): Promise<void> {
  await alerts.look();
  await alerts.idle();
}

test('D18: 80/100 % alerts exactly once per window across replicas', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const file = await temporaryFile(context);
  const here = await openAlertsIn(file);
  await withBudgetRule(here, receiver);
  await here.close();
  const replicas = await Promise.all(['a', 'b'].map((owner) => startReplica(file, owner)));
  for (const one of replicas) context.after(one.close);
  const everybody = (ask: Ask): Promise<void[]> => Promise.all(replicas.map((one) => one.look(ask)));
  for (const ask of [
    { spent: { acme: '85', globex: '10' }, crossed: [['acme', 80] as const] },
    { spent: { acme: '85', globex: '10' }, crossed: [['acme', 80] as const] },
    { spent: { acme: '130', globex: '99' }, crossed: [] },
    { spent: { acme: '130', globex: '99' }, crossed: [['acme', 100] as const] },
  ]) {
    await everybody(ask);
  }
  await receiver.until(3);
  await everybody({ spent: { acme: '130', globex: '99' }, crossed: [] });
  const found = receiver.received.map(({ headers, body }) => {
    const { data } = JSON.parse(body) as { data: { value: string; threshold: string } };
    return [`${data.value} ${data.threshold}`, headers['webhook-id']] as const;
  });
  assert.deepEqual(found.map(([what]) => what).toSorted(), [
    '["bud_1","acme"] actual 100%',
    '["bud_1","acme"] actual 80%',
    '["bud_1","globex"] actual 80%',
  ]);
  assert.equal(new Set(found.map(([, id]) => id)).size, 3);
});

test('a window that follows is told anew, and the end of the one before is told once', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const clock = clockAt(NOON);
  let standings = [standing('acme', '85')];
  const open = await openAlertsIn(':memory:', { clock, standings: async () => standings });
  context.after(open.close);
  await withBudgetRule(open, receiver);
  await told(open);
  clock.set('2026-05-05T00:01:00Z');
  const tomorrow = { windowId: '2026-05-05', start: DAY.end, end: (DAY.end + 86_400_000) as TimestampMs };
  standings = [standing('acme', '0', tomorrow)];
  await told(open);
  await told(open);
  standings = [standing('acme', '85', tomorrow)];
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.firing', 'alert.resolved', 'alert.firing']);
});

test('a crossing that comes back in its window is listed as firing and told no second time', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  let standings = [standing('acme', '85')];
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON), standings: async () => standings });
  context.after(open.close);
  await withBudgetRule(open, receiver);
  for (const spent of ['85', '70', '85', '70', '85']) {
    standings = [standing('acme', spent)];
    await told(open);
  }
  assert.deepEqual(kindsOf(receiver), ['alert.firing', 'alert.resolved']);
  const { items } = await open.alerts.events({ state: 'firing', ruleId: null, limit: 10, cursor: null });
  assert.deepEqual(
    items.map(({ instance }) => instance),
    ['["bud_1","acme"]'],
  );
});

test('steps of a rolling window are one alert for as long as it lasts', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  let standings: readonly Standing[] = [];
  const rolling = { ...BUDGET, window: { kind: 'rolling', lengthMs: 3_600_000 } } as const;
  const given = { budgets: async () => [rolling], standings: async () => standings };
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON), ...given });
  context.after(open.close);
  await withBudgetRule(open, receiver);
  for (const [windowId, spent] of [
    ['1', '85'],
    ['2', '90'],
    ['3', '88'],
    ['4', '10'],
    ['5', '81'],
  ] as const) {
    standings = [standing('acme', spent, { windowId })];
    await told(open);
  }
  assert.deepEqual(kindsOf(receiver), ['alert.firing', 'alert.resolved', 'alert.firing']);
});

test('a forecast looks at how much of the window has passed (D17)', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const clock = clockAt('2026-05-04T00:30:00Z');
  const open = await openAlertsIn(':memory:', { clock, standings: async () => [standing('acme', '30')] });
  context.after(open.close);
  await withBudgetRule(open, receiver, { of: 'forecast', percents: [100] });
  await told(open);
  assert.deepEqual(kindsOf(receiver), [], 'half an hour says nothing of a day');
  clock.set('2026-05-04T06:00:00Z');
  await told(open);
  assert.deepEqual(sentencesOf(receiver), [
    'Budget each customer (acme) will reach $120.00 of $100.00 (120 %), its mark of 100 % is passed.',
  ]);
  clock.set('2026-05-04T23:00:00Z');
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.firing', 'alert.resolved']);
});

test('more than twenty at once come as one message that counts them all', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const standings = Array.from({ length: 120 }, (_, n) => standing(`customer-${n}`, '85'));
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON), standings: async () => standings });
  context.after(open.close);
  await withBudgetRule(open, receiver);
  await told(open);
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.digest']);
  const { title, data } = JSON.parse(receiver.received[0]?.body ?? '') as {
    title: string;
    data: { count: number; alerts: unknown[] };
  };
  assert.deepEqual([title, data.count, data.alerts.length], ['120 alerts', 120, 50]);
});

test('a daily digest gathers what fired and ended, and comes with the end of the day', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const clock = clockAt(NOON);
  let standings = [standing('acme', '85')];
  const open = await openAlertsIn(':memory:', { clock, standings: async () => standings });
  context.after(open.close);
  await withBudgetRule(open, receiver, { digest: 'daily' });
  await told(open);
  standings = [standing('acme', '85'), standing('globex', '85')];
  clock.advance(3_600_000);
  await told(open);
  standings = [standing('acme', '85')];
  await told(open);
  assert.deepEqual(kindsOf(receiver), []);
  clock.set('2026-05-05T00:00:30Z');
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.digest']);
  const lines = sentencesOf(receiver)[0]?.split('\n') ?? [];
  assert.deepEqual(lines.map((line) => line.slice(0, line.indexOf(' has reached'))).toSorted(), [
    'Alert: budgets – Budget each customer (acme)',
    'Alert: budgets – Budget each customer (globex)',
    'Resolved: budgets – No longer so: Budget each customer (globex)',
  ]);
});

test('while a rule is muted its events are listed and nobody is told, of their end neither', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const clock = clockAt(NOON);
  let standings = [standing('acme', '85')];
  const open = await openAlertsIn(':memory:', { clock, standings: async () => standings });
  context.after(open.close);
  const { alerts } = open;
  const rule = await withBudgetRule(open, receiver);
  await alerts.rules.mute(rule, (clock.now() + 3_600_000) as TimestampMs, 'test');
  await told(open);
  const { items } = await alerts.deliveries({ channelId: null, eventId: null, limit: 10, cursor: null });
  assert.deepEqual(
    items.map(({ delivery }) => delivery.state),
    ['muted'],
  );
  clock.advance(7_200_000);
  standings = [standing('acme', '10'), standing('globex', '90')];
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.firing']);
  assert.match(sentencesOf(receiver)[0] ?? '', /globex/);
});

test('trouble of journal and store is told once a day for each kind, and its end', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  let health: Health = { ...WELL, waiting: 7, lagMs: 59_000 };
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON), health: async () => health });
  context.after(open.close);
  await withBudgetRule(open, receiver, { type: 'journal_or_store_trouble' });
  await told(open);
  health = { ...health, lagMs: 61_000, quarantined: 2 };
  await told(open);
  health = { ...health, lagMs: 90_000 };
  await told(open);
  health = { ...WELL, quarantined: 2, journal: 'silent' };
  await told(open);
  assert.deepEqual(sentencesOf(receiver).toSorted(), [
    'No longer so: Reports are behind: 7 entries wait, the oldest for 61 s.',
    'Reports are behind: 7 entries wait, the oldest for 61 s.',
    'The journal has failed, or its process does not answer: calls may be refused or unrecorded.',
    'The store refused 2 entries: they are in the journal, not in reports.',
  ]);
});

test('a rule that is deleted or switched off ends what fires of it', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const open = await openAlertsIn(':memory:', {
    clock: clockAt(NOON),
    standings: async () => [standing('acme', '85')],
  });
  context.after(open.close);
  const { alerts } = open;
  const rule = await withBudgetRule(open, receiver);
  await told(open);
  await alerts.rules.update(rule, { enabled: false }, 'test');
  await told(open);
  assert.deepEqual(kindsOf(receiver), ['alert.firing', 'alert.resolved']);
  await alerts.rules.delete(rule, 'test');
  await told(open);
  assert.equal(receiver.received.length, 2);
});

test('another limit is another crossing: what a changed rule finds over is told', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const open = await openAlertsIn(':memory:', {
    clock: clockAt(NOON),
    standings: async () => [standing('acme', '85')],
  });
  context.after(open.close);
  const rule = await withBudgetRule(open, receiver, { percents: [80] });
  await told(open);
  await open.alerts.rules.update(rule, { percents: [50] }, 'test');
  await told(open);
  assert.deepEqual(kindsOf(receiver).toSorted(), ['alert.firing', 'alert.firing', 'alert.resolved']);
});
