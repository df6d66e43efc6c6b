import type { Selectable } from 'kysely';
import type { TimestampMs } from '#std';
import type { Answer } from './answer.ts';
import type { AlertQueries, DeliveryTable } from './database.ts';
import { fromRowEvent } from './event.ts';
import type { DigestLine, Notification } from './notification.ts';

export type Delivery = Selectable<DeliveryTable>;

/** Longer than any attempt takes: another process tries again only when this one is gone. */
const CLAIM_MS = 60_000;

/** Alerts that one digest spells out. */
const DIGEST_LINES = 50;

/** Channels that something is due for. */
export async function dueChannels(database: AlertQueries, now: TimestampMs): Promise<readonly string[]> {
  const rows = await database
    .selectFrom('alert_deliveries')
    .select('channel_id')
    .distinct()
    .where('state', '=', 'waiting')
    .where('due_at', '<=', now)
    .where('claimed_until', '<=', now)
    .execute();
  return rows.map((row) => row.channel_id);
}

/** The next notification of a channel, for this process alone; the end of an event only after its beginning. */
export async function claimNext(
  database: AlertQueries,
  { channelId, owner, now }: { readonly channelId: string; readonly owner: string; readonly now: TimestampMs },
): Promise<Delivery | undefined> {
  return database
    .updateTable('alert_deliveries')
    .set({ claimed_by: owner, claimed_until: now + CLAIM_MS })
    .where('claimed_until', '<=', now)
    .where('id', '=', (query) =>
      query
        .selectFrom('alert_deliveries as next')
        .select('next.id')
        .where('next.channel_id', '=', channelId)
        .where('next.state', '=', 'waiting')
        .where('next.due_at', '<=', now)
        .where('next.claimed_until', '<=', now)
        .where((where) =>
          where.or([
            where('next.kind', '!=', 'resolved'),
            where.not(
              where.exists(
                where
                  .selectFrom('alert_deliveries as first')
                  .select('first.id')
                  .whereRef('first.event_id', '=', 'next.event_id')
                  .whereRef('first.channel_id', '=', 'next.channel_id')
                  .where('first.kind', '=', 'firing')
                  .where('first.state', 'not in', ['delivered', 'digested']),
              ),
            ),
          ]),
        )
        .orderBy('next.due_at')
        .orderBy('next.id')
        .limit(1),
    )
    .returningAll()
    .executeTakeFirst();
}

/** What a process that ended had begun is to be done again: it may have been done, so receivers get the same id again. */
export async function releaseClaims(database: AlertQueries, owner: string): Promise<void> {
  await database
    .updateTable('alert_deliveries')
    .set({ claimed_until: 0 })
    .where('claimed_by', '=', owner)
    .where('state', '=', 'waiting')
    .execute();
}

export async function notificationOf(database: AlertQueries, delivery: Delivery): Promise<Notification> {
  const head = { id: delivery.id, at: Number(delivery.created_at) as TimestampMs };
  switch (delivery.kind) {
    case 'firing':
    case 'resolved': {
      const row = await database
        .selectFrom('alert_events')
        .selectAll()
        .where('id', '=', delivery.event_id)
        .executeTakeFirstOrThrow();
      return { ...head, content: { kind: delivery.kind, event: fromRowEvent(row) } };
    }
    case 'digest':
      return { ...head, content: { kind: 'digest', ...(await digestOf(database, delivery.id)) } };
    default:
      return { ...head, content: { kind: 'test' } };
  }
}

async function digestOf(
  database: AlertQueries,
  id: string,
): Promise<{ readonly lines: readonly DigestLine[]; readonly count: number }> {
  const inside = database.selectFrom('alert_deliveries as d').where('d.digest_id', '=', id);
  const total = await inside.select((all) => all.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await inside
    .innerJoin('alert_events as e', 'e.id', 'd.event_id')
    .selectAll('e')
    .select('d.kind as kind')
    .orderBy('d.created_at')
    .orderBy('d.id')
    .limit(DIGEST_LINES)
    .execute();
  const lines = rows.map((row) => ({
    kind: row.kind === 'resolved' ? ('resolved' as const) : ('firing' as const),
    event: fromRowEvent(row),
  }));
  return { lines, count: Number(total.count) };
}

type Outcome = {
  readonly delivery: Delivery;
  readonly answer: Answer;
  readonly at: TimestampMs;
  readonly tookMs: number;
  /** When to try again; null: not any more. */
  readonly nextAt: TimestampMs | null;
};

/** Writes down what became of an attempt, and when the next one is. */
export async function recordAttempt(database: AlertQueries, outcome: Outcome): Promise<void> {
  const { delivery, answer, at, tookMs, nextAt } = outcome;
  const n = Number(delivery.attempts) + 1;
  const state = answer.ok ? 'delivered' : nextAt === null ? 'failed' : 'waiting';
  await database.transaction().execute(async (queries) => {
    const written = await queries
      .updateTable('alert_deliveries')
      .set({
        attempts: n,
        state,
        due_at: nextAt ?? delivery.due_at,
        claimed_until: 0,
        done_at: state === 'waiting' ? null : at,
      })
      .where('id', '=', delivery.id)
      .where('attempts', '=', delivery.attempts)
      .executeTakeFirst();
    // Somebody else took it over after this process was thought to be gone; what they found counts.
    if (written.numUpdatedRows === 0n) return;
    await queries
      .insertInto('alert_attempts')
      .values({
        delivery_id: delivery.id,
        n,
        at,
        took_ms: Math.round(tookMs),
        ok: answer.ok ? 1 : 0,
        status: answer.status,
        answer: answer.text,
      })
      .execute();
  });
}

/** Gives up what nobody took in time. */
export async function expire(database: AlertQueries, now: TimestampMs): Promise<number> {
  const { numUpdatedRows: gone } = await database
    .updateTable('alert_deliveries')
    .set({ state: 'failed', done_at: now })
    .where('state', '=', 'waiting')
    .where('expires_at', '<=', now)
    .where('claimed_until', '<=', now)
    .executeTakeFirst();
  return Number(gone);
}

/** Drops what is too old to matter, never an event whose window could still be open. */
export async function forgetOld(database: AlertQueries, now: TimestampMs): Promise<void> {
  const old = now - KEPT_DAYS * 24 * 60 * 60 * 1000;
  await database.transaction().execute(async (queries) => {
    const gone = queries.selectFrom('alert_deliveries').select('id').where('done_at', '<', old);
    await queries.deleteFrom('alert_attempts').where('delivery_id', 'in', gone).execute();
    await queries.deleteFrom('alert_deliveries').where('done_at', '<', old).execute();
    await queries
      .deleteFrom('alert_events')
      .where('state', '=', 'resolved')
      .where('resolved_at', '<', old)
      .where('window_id', '!=', 'total')
      .execute();
  });
}

/** Longer than the longest window, a year. */
const KEPT_DAYS = 400;
