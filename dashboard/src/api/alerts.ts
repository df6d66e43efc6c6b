import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { address, read, send } from './client.ts';

const ruleSchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  enabled: z.boolean(),
  severity: z.string(),
  channels: z.array(z.string()),
  for_each: z.nullish(z.string()),
  window: z.nullish(z.string()),
  amount_usd: z.nullish(z.string()),
  minimum_usd: z.nullish(z.string()),
  percent: z.nullish(z.number()),
  percents: z.nullish(z.array(z.number())),
  calls: z.nullish(z.number()),
  muted_until: z.nullable(z.string()),
});

export type AlertRule = z.infer<typeof ruleSchema>;

const channelSchema = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  url: z.nullish(z.string()),
  to: z.nullish(z.array(z.string())),
});

export type AlertChannel = z.infer<typeof channelSchema>;

const eventSchema = z.object({
  id: z.string(),
  rule: z.object({ id: z.string(), name: z.string() }),
  severity: z.string(),
  state: z.enum(['firing', 'resolved']),
  sentence: z.string(),
  opened_at: z.string(),
  resolved_at: z.nullable(z.string()),
});

export type AlertEvent = z.infer<typeof eventSchema>;

const deliverySchema = z.object({
  id: z.string(),
  channel_id: z.string(),
  kind: z.string(),
  state: z.string(),
  attempts: z.number(),
  created_at: z.string(),
  answers: z.array(z.object({ ok: z.boolean(), status: z.nullable(z.number()), answer: z.string() })),
});

export type AlertDelivery = z.infer<typeof deliverySchema>;

const LOOK_AGAIN_MS = 15_000;

function listQuery<T>(name: string, schema: z.ZodMiniType<T>) {
  return queryOptions({
    queryKey: ['alerts', name],
    queryFn: async ({ signal }) => {
      const path = address(`/v1/alerts/${name}`, name === 'events' || name === 'deliveries' ? { limit: 20 } : {});
      return (await read(path, z.object({ data: z.array(schema) }), signal)).data;
    },
    refetchInterval: LOOK_AGAIN_MS,
  });
}

export const rulesQuery = listQuery('rules', ruleSchema);
export const channelsQuery = listQuery('channels', channelSchema);
export const alertEventsQuery = listQuery('events', eventSchema);
export const deliveriesQuery = listQuery('deliveries', deliverySchema);

/** All lists of alerts. */
export const ALERTS_KEY = ['alerts'];

export async function makeRule(rule: Readonly<Record<string, unknown>>): Promise<void> {
  await send('/v1/alerts/rules', { method: 'POST', body: rule });
}

export async function changeRule(id: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  await send(`/v1/alerts/rules/${encodeURIComponent(id)}`, { method: 'PATCH', body: change });
}

export async function deleteRule(id: string): Promise<void> {
  await send(`/v1/alerts/rules/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** @param until null ends it */
export async function muteRule(id: string, until: string | null): Promise<void> {
  const path = `/v1/alerts/rules/${encodeURIComponent(id)}/${until === null ? 'unmute' : 'mute'}`;
  await send(path, { method: 'POST', body: until === null ? {} : { until } });
}

/** @returns the secret a webhook signs with, this once; null for other kinds */
export async function makeChannel(channel: Readonly<Record<string, unknown>>): Promise<string | null> {
  const answer = await send('/v1/alerts/channels', { method: 'POST', body: channel });
  return z.object({ secret: z.nullish(z.string()) }).parse(await answer.json()).secret ?? null;
}

export async function deleteChannel(id: string): Promise<void> {
  await send(`/v1/alerts/channels/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

const testSchema = z.object({ ok: z.boolean(), status: z.nullable(z.number()), answer: z.string() });

export type ChannelTest = z.infer<typeof testSchema>;

export async function testChannel(id: string): Promise<ChannelTest> {
  const answer = await send(`/v1/alerts/channels/${encodeURIComponent(id)}/test`, { method: 'POST', body: {} });
  return testSchema.parse(await answer.json());
}
