import { hash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { windowAt } from '#budgets';
import { ERASED } from '#ledger/erase';
import type { Clock, TimestampMs } from '#std';
import type { AlertQueries, DeliveryTable } from './database.ts';
import { eventIdOf, toRowEvent } from './event.ts';
import type { Reading } from './reading.ts';
import type { RuleRecord } from './rule-record.ts';

export type Settled = { readonly opened: number; readonly resolved: number };

/** Notifications of one evaluation to one channel; more come as one digest. */
const BURST = 20;

/** A notification that nobody took by then is given up. */
const DELIVERY_AGE_MS = 24 * 60 * 60 * 1000;

/** `upTo`: the time up to which everything that happened was seen. */
export type Findings = { readonly found: readonly Reading[]; readonly upTo: TimestampMs };

type Partly = { readonly found: readonly Reading[]; readonly upTo: TimestampMs | null };

type Notice = { readonly eventId: string; readonly kind: 'firing' | 'resolved' };

type OutboxDeps = { readonly database: AlertQueries; readonly clock: Clock };

/**
 * Turns what rules find into events and notifications to be delivered, in one transaction. An event has one id for its rule,
 * instance, window and threshold, a notification one for its event, channel and kind: whoever is first writes it, here or on
 * another machine, and everybody after that changes nothing.
 */
export class Outbox {
  readonly #deps: OutboxDeps;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** @param findings everything of the rule that is over now; what fired and is not among it ends */
  async settle(record: RuleRecord, findings: Findings): Promise<Settled> {
    return this.#write(record, findings);
  }

  /** @param found some of what is over; the rest stays as it is */
  async add(record: RuleRecord, found: readonly Reading[]): Promise<Settled> {
    return this.#write(record, { found, upTo: null });
  }

  /** Gathers notifications whose digest is due into one for each channel. */
  async collect(newId: () => string): Promise<number> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    const due = await database
      .selectFrom('alert_deliveries')
      .select('channel_id')
      .distinct()
      .where('state', '=', 'collecting')
      .where('due_at', '<=', now)
      .execute();
    for (const { channel_id: channelId } of due) {
      const digest = newId();
      await database.transaction().execute(async (queries) => {
        const taken = await queries
          .updateTable('alert_deliveries')
          .set({ state: 'digested', digest_id: digest, done_at: now })
          .where('channel_id', '=', channelId)
          .where('state', '=', 'collecting')
          .where('due_at', '<=', now)
          .executeTakeFirst();
        if (taken.numUpdatedRows === 0n) return;
        const row = rowOf({ id: digest, channelId, eventId: null, kind: 'digest', now });
        await queries.insertInto('alert_deliveries').values(row).execute();
      });
    }
    return due.length;
  }

  async #write(record: RuleRecord, { found, upTo }: Partly): Promise<Settled> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    return database.transaction().execute(async (queries) => {
      // Written first, so that two that find the same wait for one another here; and a rule that was changed meanwhile is
      // evaluated anew instead.
      const held = await queries
        .updateTable('alert_rules')
        .set({ evaluated_at: Math.max(record.evaluatedAt, upTo ?? record.evaluatedAt) })
        .where('id', '=', record.id)
        .where('deleted_at', 'is', null)
        .where('updated_at', '=', record.updatedAt)
        .executeTakeFirst();
      if (held.numUpdatedRows === 0n) return { opened: 0, resolved: 0 };
      const { opened, still } = await open(queries, { record, found: found.filter(isSomebodys), now });
      const resolved = upTo === null ? [] : await resolveAll(queries, { ruleId: record.id, but: still, now });
      await notify(queries, { record, opened, resolved, now });
      return { opened: opened.length, resolved: resolved.length };
    });
  }
}

/** In figures all who were erased are one; of what they spent somebody was told when it was theirs. */
function isSomebodys({ instance }: Reading): boolean {
  return !instance.includes(ERASED);
}

/** Ends every event of a rule that is not `but`. */
async function resolveAll(
  queries: AlertQueries,
  { ruleId, but, now }: { readonly ruleId: string; readonly but: ReadonlySet<string>; readonly now: TimestampMs },
): Promise<readonly string[]> {
  const firing = await firingOf(queries, ruleId);
  const over = firing.map(({ id }) => id).filter((id) => !but.has(id));
  for (const id of over)
    await queries
      .updateTable('alert_events')
      .set({ state: 'resolved', resolved_at: now })
      .where('id', '=', id)
      .execute();
  return over;
}

type Found = { readonly record: RuleRecord; readonly found: readonly Reading[]; readonly now: TimestampMs };

/** `opened` are new; `still` all that are over. One that ended and is over again in the same window fires without a word. */
async function open(
  queries: AlertQueries,
  { record, found, now }: Found,
): Promise<{ readonly opened: readonly string[]; readonly still: ReadonlySet<string> }> {
  const firing = await firingOf(queries, record.id);
  const known = new Set(firing.map(({ id }) => id));
  const lasting = new Map(firing.map((one) => [sameness(one), one.id]));
  const opened: string[] = [];
  const still = new Set<string>();
  for (const reading of found) {
    const before = reading.lasts ? lasting.get(sameness(reading)) : undefined;
    const id = before ?? eventIdOf(record.id, reading);
    still.add(id);
    if (known.has(id)) continue;
    const { numInsertedOrUpdatedRows: added } = await queries
      .insertInto('alert_events')
      .values(toRowEvent(record, reading, now))
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (added === 1n) opened.push(id);
    else
      await queries
        .updateTable('alert_events')
        .set({ state: 'firing', resolved_at: null })
        .where('id', '=', id)
        .execute();
    known.add(id);
    lasting.set(sameness(reading), id);
  }
  return { opened, still };
}

function sameness({ instance, threshold }: Pick<Reading, 'instance' | 'threshold'>): string {
  return JSON.stringify([instance, threshold]);
}

function firingOf(
  queries: AlertQueries,
  ruleId: string,
): Promise<readonly { readonly id: string; readonly instance: string; readonly threshold: string }[]> {
  return queries
    .selectFrom('alert_events')
    .select(['id', 'instance', 'threshold'])
    .where('rule_id', '=', ruleId)
    .where('state', '=', 'firing')
    .execute();
}

type Happened = {
  readonly record: RuleRecord;
  readonly opened: readonly string[];
  readonly resolved: readonly string[];
  readonly now: TimestampMs;
};

async function notify(queries: AlertQueries, { record, opened, resolved, now }: Happened): Promise<void> {
  if (opened.length + resolved.length === 0 || record.rule.channels.length === 0) return;
  const channels = await queries
    .selectFrom('alert_channels')
    .select(['id', 'kind'])
    .where('id', 'in', [...record.rule.channels])
    .where('deleted_at', 'is', null)
    .execute();
  for (const channel of channels) {
    const told = record.rule.tell_resolved ? await toldOf(queries, { channel, resolved }) : [];
    const notices: readonly Notice[] = [
      ...told.map((eventId) => ({ eventId, kind: 'resolved' as const })),
      ...opened.map((eventId) => ({ eventId, kind: 'firing' as const })),
    ];
    const plan = planOf(record, { kind: channel.kind, notices: notices.length, now });
    for (const { eventId, kind } of notices) {
      const id = deliveryIdOf(eventId, channel.id, kind);
      await queries
        .insertInto('alert_deliveries')
        .values({ ...rowOf({ id, channelId: channel.id, eventId, kind, now }), ...plan })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  }
}

/** Of these events those that the channel was told of: nobody is told of the end of what they never heard of. */
async function toldOf(
  queries: AlertQueries,
  {
    channel,
    resolved,
  }: { readonly channel: { readonly id: string; readonly kind: string }; readonly resolved: readonly string[] },
): Promise<readonly string[]> {
  const told: string[] = [];
  // A digest opened one incident for all that is in it; the single ones are none.
  const states =
    channel.kind === 'pagerduty' ? ['waiting', 'delivered'] : ['waiting', 'delivered', 'collecting', 'digested'];
  for (const eventId of resolved) {
    const row = await queries
      .selectFrom('alert_deliveries')
      .select('id')
      .where('id', '=', deliveryIdOf(eventId, channel.id, 'firing'))
      .where('state', 'in', states)
      .executeTakeFirst();
    if (row !== undefined) told.push(eventId);
  }
  return told;
}

function planOf(
  { rule, mutedUntil }: RuleRecord,
  { kind, notices, now }: { readonly kind: string; readonly notices: number; readonly now: TimestampMs },
): Pick<Selectable<DeliveryTable>, 'state' | 'due_at' | 'done_at'> {
  if (mutedUntil !== null && now < mutedUntil) return { state: 'muted', due_at: now, done_at: now };
  const zone = 'timezone' in rule ? rule.timezone : 'UTC';
  // Who is on call wants incidents one by one, not once a day.
  if (rule.digest !== 'none' && kind !== 'pagerduty') {
    const window =
      rule.digest === 'hourly' ? ({ kind: 'hour', zone } as const) : ({ kind: 'day', count: 1, zone } as const);
    return { state: 'collecting', due_at: windowAt(window, now).end, done_at: null };
  }
  return { state: notices > BURST ? 'collecting' : 'waiting', due_at: now, done_at: null };
}

function deliveryIdOf(eventId: string, channelId: string, kind: Notice['kind']): string {
  return `ald_${hash('sha256', JSON.stringify([eventId, channelId, kind]), 'hex').slice(0, 32)}`;
}

type NewDelivery = {
  readonly id: string;
  readonly channelId: string;
  readonly eventId: string | null;
  readonly kind: 'firing' | 'resolved' | 'digest' | 'test';
  readonly now: TimestampMs;
};

export function rowOf({ id, channelId, eventId, kind, now }: NewDelivery): Selectable<DeliveryTable> {
  return {
    id,
    channel_id: channelId,
    event_id: eventId,
    kind,
    state: 'waiting',
    due_at: now,
    expires_at: now + DELIVERY_AGE_MS,
    attempts: 0,
    digest_id: null,
    claimed_by: null,
    claimed_until: 0,
    created_at: now,
    done_at: null,
  };
}
