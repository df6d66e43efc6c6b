import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { toWireChannel, toWireDelivery, toWireEvent, toWireRule, type Alerts } from '#alerts';
import type { Clock, TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';
import { pathParameter } from './report-route.ts';

export type AlertRouteDeps = { readonly alerts: Alerts; readonly clock: Clock };

const page = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().min(1).optional(),
};

const EVENTS = z.strictObject({
  ...page,
  state: z.enum(['firing', 'resolved']).optional(),
  rule: z.string().min(1).optional(),
});

const DELIVERIES = z.strictObject({
  ...page,
  channel: z.string().min(1).optional(),
  event: z.string().min(1).optional(),
});

const MUTE = z.strictObject({ until: z.iso.datetime({ offset: true }) });

/** Rules, where they are told, and what was told. */
export function addAlertRoutes(app: FastifyInstance, deps: AlertRouteDeps): void {
  addRuleRoutes(app, deps);
  addChannelRoutes(app, deps.alerts);
  addHistoryRoutes(app, deps.alerts);
}

function addRuleRoutes(app: FastifyInstance, { alerts: { rules }, clock }: AlertRouteDeps): void {
  app.get('/v1/alerts/rules', async () => ({ object: 'list', data: (await rules.list()).map(toWireRule) }));
  app.get('/v1/alerts/rules/:id', async (request) => toWireRule(await rules.get(pathParameter(request, 'id'))));
  app.post('/v1/alerts/rules', async (request) => toWireRule(await rules.create(request.body, actorOf(request))));
  app.patch('/v1/alerts/rules/:id', async (request) =>
    toWireRule(await rules.update(pathParameter(request, 'id'), request.body, actorOf(request))),
  );
  app.delete('/v1/alerts/rules/:id', async (request) => {
    const { id } = await rules.delete(pathParameter(request, 'id'), actorOf(request));
    return { object: 'alert_rule', id, deleted: true };
  });
  app.post('/v1/alerts/rules/:id/mute', async (request) => {
    const hint = 'Send {"until": "2026-01-31T12:00:00Z"}.';
    const until = Date.parse(parseRequest(request.body ?? {}, { schema: MUTE, hint }).until) as TimestampMs;
    if (until <= clock.now()) {
      throw new ApportionError('invalid_field', 'until: this time is over.', { param: 'until', hint });
    }
    return toWireRule(await rules.mute(pathParameter(request, 'id'), until, actorOf(request)));
  });
  app.post('/v1/alerts/rules/:id/unmute', async (request) =>
    toWireRule(await rules.mute(pathParameter(request, 'id'), null, actorOf(request))),
  );
}

function addChannelRoutes(app: FastifyInstance, { channels }: Alerts): void {
  app.get('/v1/alerts/channels', async () => ({ object: 'list', data: (await channels.list()).map(toWireChannel) }));
  app.get('/v1/alerts/channels/:id', async (request) =>
    toWireChannel(await channels.get(pathParameter(request, 'id'))),
  );
  app.post('/v1/alerts/channels', async (request) => {
    const { channel, secret } = await channels.create(request.body, actorOf(request));
    return secret === null ? toWireChannel(channel) : { ...toWireChannel(channel), secret };
  });
  app.patch('/v1/alerts/channels/:id', async (request) =>
    toWireChannel(await channels.update(pathParameter(request, 'id'), request.body, actorOf(request))),
  );
  app.delete('/v1/alerts/channels/:id', async (request) => {
    const { id } = await channels.delete(pathParameter(request, 'id'), actorOf(request));
    return { object: 'alert_channel', id, deleted: true };
  });
  app.post('/v1/alerts/channels/:id/test', async (request) => {
    const { ok, status, text, deliveryId } = await channels.test(pathParameter(request, 'id'), actorOf(request));
    return { object: 'alert_test', delivery_id: deliveryId, ok, status, answer: text };
  });
}

function addHistoryRoutes(app: FastifyInstance, alerts: Alerts): void {
  app.get('/v1/alerts/events', async ({ query }) => {
    const hint = 'Parameters: state, rule, limit, cursor.';
    const { state, rule, limit, cursor } = parseRequest(query, { schema: EVENTS, hint });
    const ask = { state: state ?? null, ruleId: rule ?? null, limit, cursor: cursor ?? null };
    const { items, nextCursor } = await alerts.events(ask);
    return list(items.map(toWireEvent), nextCursor);
  });
  app.get('/v1/alerts/deliveries', async ({ query }) => {
    const hint = 'Parameters: channel, event, limit, cursor.';
    const { channel, event, limit, cursor } = parseRequest(query, { schema: DELIVERIES, hint });
    const ask = { channelId: channel ?? null, eventId: event ?? null, limit, cursor: cursor ?? null };
    const { items, nextCursor } = await alerts.deliveries(ask);
    return list(items.map(toWireDelivery), nextCursor);
  });
}

function list(data: readonly unknown[], nextCursor: string | null): object {
  return { object: 'list', data, has_more: nextCursor !== null, next_cursor: nextCursor };
}
