import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { StoreReader } from '#analytics';
import type { Standing } from '#budgets';
import { ERASED, holder, remover, type ErasureSubject } from '#ledger/erase';
import type { AlertEvent } from './event.ts';
import { clockAt, openAlertsIn, temporaryFile, type OpenAlerts } from './open-alerts.fixture.ts';
import { openReceiver, type Receiver } from './receiver.fixture.ts';
import { NOON, standing } from './standing.fixture.ts';

const CANARY = 'ann@example.com';

function forgetting(value: string) {
  const subject: ErasureSubject = { kind: 'tag', key: 'customer', value };
  return { value, ofKeys: false, holds: holder(subject), without: remover(subject), erased: ERASED };
}

/** As the server does it: alerts first, then the rest, which overwrites what was given back. */
async function forget({ alerts, accounts }: OpenAlerts, value: string): Promise<readonly string[]> {
  const { stillNamedBy } = await alerts.forget(forgetting(value));
  await accounts.forget(forgetting(value));
  return stillNamedBy;
}

async function told({ alerts }: OpenAlerts): Promise<void> {
  await alerts.look();
  await alerts.idle();
}

async function eventsOf({ alerts }: OpenAlerts): Promise<readonly AlertEvent[]> {
  return (await alerts.events({ state: null, ruleId: null, limit: 100, cursor: null })).items;
}

async function channelTo({ alerts }: OpenAlerts, { url }: Receiver): Promise<string> {
  return (await alerts.channels.create({ kind: 'webhook', name: 'hook', url }, 'test')).channel.id;
}

/** A store in which each value has spent so many dollars. */
function storeWith(dollars: Readonly<Record<string, string>>): StoreReader {
  const rest = { m_calls: 1, m_failed: 0, m_unpriced: 0, m_lacking: '0', m_reported: '0', m_computed: '0' };
  const rows = Object.entries(dollars).map(([id, amount]) => {
    const m_cost = `${amount.replace('.', '')}0000000000`;
    return { id, m_cost, m_billed: m_cost, ...rest };
  });
  return {
    asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
    query: async <T>() => rows as readonly unknown[] as T[],
  };
}

test('who is erased is gone from events, from what is sent yet, and from every byte of the file; the money is not', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const file = await temporaryFile(context);
  const clock = clockAt(NOON);
  let standings: readonly Standing[] = [standing(CANARY, '85'), standing('globex', '85')];
  const open = await openAlertsIn(file, { clock, standings: async () => standings });
  context.after(open.close);
  const channels = [await channelTo(open, receiver)];
  await open.alerts.rules.create({ type: 'budget_threshold', name: 'budgets', channels }, 'test');
  // It says back what it got, and takes nothing.
  receiver.behave((response) => void response.writeHead(500).end(receiver.received.at(-1)?.body));
  await told(open);
  clock.advance(1_000);
  await told(open);
  const filesWith = (): string[] =>
    readdirSync(dirname(file)).filter((name) => readFileSync(join(dirname(file), name)).includes(CANARY));
  assert.notDeepEqual(filesWith(), []);

  assert.deepEqual(await forget(open, CANARY), []);
  assert.deepEqual(filesWith(), []);
  const events = await eventsOf(open);
  assert.deepEqual(
    new Map(events.map(({ instance, body }) => [instance, [body.sentence, body.figures['committed_usd']]])),
    new Map([
      ['["bud_1","(erased)"]', [SENTENCE.replace('WHO', '(erased)'), '85']],
      ['["bud_1","globex"]', [SENTENCE.replace('WHO', 'globex'), '85']],
    ]),
  );
  const before = receiver.received.length;
  receiver.behave((response) => void response.writeHead(200).end());
  clock.advance(1_000);
  await told(open);
  const sent = receiver.received.slice(before);
  assert.equal(sent.length, 2);
  assert.ok(!sent.some(({ body }) => body.includes(CANARY)));
  const known = new Set(receiver.received.slice(0, before).map(({ headers }) => headers['webhook-id']));
  assert.ok(sent.some(({ headers, body }) => body.includes('(erased)') && known.has(headers['webhook-id'])));

  // As budgets count after the next start.
  standings = [standing(ERASED, '85'), standing('globex', '85')];
  await told(open);
  const later = receiver.received.slice(before + 2).map(({ body }) => (JSON.parse(body) as { text: string }).text);
  assert.deepEqual(later, [`No longer so: ${SENTENCE.replace('WHO', '(erased)')}`]);
});

const SENTENCE = 'Budget each customer (WHO) has reached $85.00 of $100.00 (85 %), its mark of 80 % is passed.';

test('a name that is a number goes from where it is a name, and stays where it is an amount', async (context) => {
  const clock = clockAt(NOON);
  const open = await openAlertsIn(':memory:', { clock, store: storeWith({ 512: '512.40', 7: '512.40' }) });
  context.after(open.close);
  const rule = { type: 'spend_over', name: 'each', amount_usd: '500', for_each: 'tags.customer' };
  await open.alerts.rules.create(rule, 'test');
  await told(open);
  await forget(open, '512');
  const events = (await eventsOf(open)).map(({ instance, body }) => `${instance} ${body.sentence}`);
  assert.deepEqual([...new Set(events)].toSorted(), [
    '(erased) (erased): $512.40 in this day, more than $500.00.',
    '7 7: $512.40 in this day, more than $500.00.',
  ]);
});

test('an override goes with whom it is for; what else names them is told, and what was deleted is gone', async (context) => {
  const receiver = await openReceiver();
  context.after(receiver.close);
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON) });
  context.after(open.close);
  const { rules, channels } = open.alerts;
  const each = { type: 'spend_over', amount_usd: '50', for_each: 'tags.customer' };
  const overrides = ['Ann', 'customer/ann', 'ann & sons'].map((value) => ({ value, amount_usd: '500' }));
  const kept = await rules.create({ ...each, name: 'each', overrides }, 'test');
  const named = await rules.create({ ...each, name: 'for ann' }, 'test');
  const gone = await rules.create({ ...each, name: 'of ann' }, 'test');
  await rules.delete(gone.id, 'test');
  const channel = await channels.create({ kind: 'webhook', name: 'to ann', url: receiver.url }, 'test');
  assert.deepEqual(await forget(open, 'ann'), [kept.id, named.id, channel.channel.id]);
  const { rule } = await rules.get(kept.id);
  assert.deepEqual('overrides' in rule ? rule.overrides.map(({ value }) => value) : [], ['ann & sons']);
  await channels.delete(channel.channel.id, 'test');
  assert.deepEqual(await forget(open, 'ann'), [kept.id, named.id]);
});

test('an evaluation that began before it writes nothing of what it had read', async (context) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<readonly Standing[]>();
  const standings = async (): Promise<readonly Standing[]> => {
    asked.resolve();
    return answer.promise;
  };
  const open = await openAlertsIn(':memory:', { clock: clockAt(NOON), standings });
  context.after(open.close);
  await open.alerts.rules.create({ type: 'budget_threshold', name: 'budgets' }, 'test');
  const looking = open.alerts.look();
  await asked.promise;
  await forget(open, CANARY);
  answer.resolve([standing(CANARY, '85')]);
  await looking;
  assert.deepEqual(await eventsOf(open), []);
});
