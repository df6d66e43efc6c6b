import type { Selectable } from 'kysely';
import type { AlertQueries, AttemptTable, DeliveryTable } from './database.ts';
import { fromRowEvent, instant, type AlertEvent } from './event.ts';
import { pageOf, parsePlace, type Page, type PageAsk } from './page.ts';

export type EventsAsk = PageAsk & { readonly state: 'firing' | 'resolved' | null; readonly ruleId: string | null };

export async function listEvents(database: AlertQueries, ask: EventsAsk): Promise<Page<AlertEvent>> {
  const place = parsePlace(ask.cursor);
  const rows = await database
    .selectFrom('alert_events')
    .selectAll()
    .$if(ask.state !== null, (query) => query.where('state', '=', ask.state ?? ''))
    .$if(ask.ruleId !== null, (query) => query.where('rule_id', '=', ask.ruleId ?? ''))
    .$if(place !== null, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('opened_at', 'id'), '<', tuple<number | string, string>(place?.at ?? 0, place?.id ?? '')),
      ),
    )
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(ask.limit + 1)
    .execute();
  return pageOf(rows.map(fromRowEvent), ask.limit, ({ openedAt, id }) => ({ at: openedAt, id }));
}

export type DeliveriesAsk = PageAsk & { readonly channelId: string | null; readonly eventId: string | null };

type DeliveryWithAttempts = {
  readonly delivery: Selectable<DeliveryTable>;
  readonly attempts: readonly Selectable<AttemptTable>[];
};

/** The newest attempts of a delivery that are listed with it. */
const LISTED_ATTEMPTS = 10;

export async function listDeliveries(database: AlertQueries, ask: DeliveriesAsk): Promise<Page<DeliveryWithAttempts>> {
  const place = parsePlace(ask.cursor);
  const rows = await database
    .selectFrom('alert_deliveries')
    .selectAll()
    .$if(ask.channelId !== null, (query) => query.where('channel_id', '=', ask.channelId ?? ''))
    .$if(ask.eventId !== null, (query) => query.where('event_id', '=', ask.eventId ?? ''))
    .$if(place !== null, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('created_at', 'id'), '<', tuple<number | string, string>(place?.at ?? 0, place?.id ?? '')),
      ),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(ask.limit + 1)
    .execute();
  const page = pageOf(rows, ask.limit, ({ created_at: at, id }) => ({ at: Number(at), id }));
  const items = await Promise.all(
    page.items.map(async (delivery) => ({ delivery, attempts: await attemptsOf(database, delivery.id) })),
  );
  return { items, nextCursor: page.nextCursor };
}

function attemptsOf(database: AlertQueries, id: string): Promise<readonly Selectable<AttemptTable>[]> {
  return database
    .selectFrom('alert_attempts')
    .selectAll()
    .where('delivery_id', '=', id)
    .orderBy('n', 'desc')
    .limit(LISTED_ATTEMPTS)
    .execute();
}

export function toWireDelivery({ delivery, attempts }: DeliveryWithAttempts): object {
  const waits = delivery.state === 'waiting' || delivery.state === 'collecting';
  return {
    object: 'alert_delivery',
    id: delivery.id,
    channel_id: delivery.channel_id,
    event_id: delivery.event_id,
    kind: delivery.kind,
    state: delivery.state,
    digest_id: delivery.digest_id,
    attempts: Number(delivery.attempts),
    created_at: instant(Number(delivery.created_at)),
    due_at: waits ? instant(Number(delivery.due_at)) : null,
    done_at: delivery.done_at === null ? null : instant(Number(delivery.done_at)),
    answers: attempts.map(({ n, at, took_ms: tookMs, ok, status, answer }) => ({
      attempt: Number(n),
      at: instant(Number(at)),
      took_ms: Number(tookMs),
      ok: ok === 1,
      status: status === null ? null : Number(status),
      answer,
    })),
  };
}
