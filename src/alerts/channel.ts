import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import type { ChannelTable } from './database.ts';
import { parseTarget, type TargetPolicy } from './targets.ts';

const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';

const name = z.string().trim().min(1).max(200);
const url = z.string().trim().min(1).max(2000);

/** As the Standard Webhooks specification writes a secret: base64 of 24 to 64 bytes. */
const secret = z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'whsec_ and base64 of 24 to 64 bytes');

const FIELDS = {
  webhook: z.strictObject({ kind: z.literal('webhook'), name, url, secret: secret.optional() }),
  slack: z.strictObject({ kind: z.literal('slack'), name, url }),
  email: z.strictObject({ kind: z.literal('email'), name, to: z.array(z.email()).min(1).max(50) }),
  pagerduty: z.strictObject({
    kind: z.literal('pagerduty'),
    name,
    routing_key: z.string().regex(/^[A-Za-z0-9]{20,64}$/, 'the integration key of an Events API v2 integration'),
    url: url.default(PAGERDUTY_URL),
  }),
} as const;

const body = z.discriminatedUnion('kind', [FIELDS.webhook, FIELDS.slack, FIELDS.email, FIELDS.pagerduty]);

/** Where notifications go, with everything that takes to get there. */
export type ChannelTarget =
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string }
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  | { readonly kind: 'pagerduty'; readonly url: string; readonly routingKey: string };

export type Channel = {
  readonly id: string;
  readonly name: string;
  readonly target: ChannelTarget;
  readonly createdAt: TimestampMs;
  readonly createdBy: string;
  readonly updatedAt: TimestampMs;
};

type ParsedChannel = { readonly name: string; readonly target: ChannelTarget };

export type ChannelDeps = {
  readonly policy: TargetPolicy;
  readonly mail: { readonly from: string } | null;
  readonly newSecret: () => string;
};

/** @throws ApportionError naming the field at fault */
export function parseChannel(given: unknown, deps: ChannelDeps): ParsedChannel {
  const parsed = body.safeParse(given);
  if (!parsed.success) throw issueError(parsed.error.issues[0]);
  const channel = parsed.data;
  switch (channel.kind) {
    case 'webhook': {
      parseTarget(channel.url, deps.policy);
      const { kind, url: to, secret: key = deps.newSecret() } = channel;
      return { name: channel.name, target: { kind, url: to, secret: key } };
    }
    case 'slack':
      parseTarget(channel.url, deps.policy);
      return { name: channel.name, target: { kind: 'slack', url: channel.url } };
    case 'email':
      if (deps.mail === null) {
        throw new ApportionError('invalid_field', 'kind: this server knows no mail server.', {
          param: 'kind',
          hint: 'The operator sets APPORTION_SMTP_URL and alerts.mail_from.',
        });
      }
      return { name: channel.name, target: { kind: 'email', to: channel.to } };
    case 'pagerduty':
      parseTarget(channel.url, deps.policy);
      return {
        name: channel.name,
        target: { kind: 'pagerduty', url: channel.url, routingKey: channel.routing_key },
      };
  }
}

/** The channel as it would be given anew, for a change of some of its fields. */
export function givenOf({ name: title, target }: Channel): Readonly<Record<string, unknown>> {
  if (target.kind !== 'pagerduty') return { ...target, name: title };
  return { kind: target.kind, name: title, url: target.url, routing_key: target.routingKey };
}

/** Without secrets: an address is one too, as whoever knows it can write there. */
export function toWireChannel({ id, name: title, target, createdAt, createdBy, updatedAt }: Channel): object {
  return {
    object: 'alert_channel',
    id,
    kind: target.kind,
    name: title,
    ...shownOf(target),
    created_at: new Date(createdAt).toISOString(),
    created_by: createdBy,
    updated_at: new Date(updatedAt).toISOString(),
  };
}

export function shownOf(target: ChannelTarget): Readonly<Record<string, unknown>> {
  if (target.kind === 'email') return { to: target.to };
  return { url: `${new URL(target.url).origin}/…` };
}

export function fromRowChannel(row: Selectable<ChannelTable>): Channel {
  return {
    id: row.id,
    name: row.name,
    target: readTarget({ kind: row.kind, ...(JSON.parse(row.secrets) as object) }),
    createdAt: Number(row.created_at) as TimestampMs,
    createdBy: row.created_by,
    updatedAt: Number(row.updated_at) as TimestampMs,
  };
}

const stored = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('webhook'), url: z.string(), secret: z.string() }),
  z.object({ kind: z.literal('slack'), url: z.string() }),
  z.object({ kind: z.literal('email'), to: z.array(z.string()) }),
  z.object({ kind: z.literal('pagerduty'), url: z.string(), routingKey: z.string() }),
]);

function readTarget(value: unknown): ChannelTarget {
  return stored.parse(value);
}

function issueError(issue: z.core.$ZodIssue | undefined): ApportionError {
  const path = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : (issue?.path ?? []);
  const param = path.join('.');
  const why = issue?.code === 'unrecognized_keys' ? 'this kind of channel has no such field' : issue?.message;
  // The value itself is not repeated: it may be a secret.
  return new ApportionError('invalid_field', `${param === '' ? 'The channel' : param}: ${why ?? 'not understood'}.`, {
    ...(param === '' ? {} : { param }),
    hint: `Kinds of channels: ${Object.keys(FIELDS).join(', ')}. docs/alerts.md shows one of each.`,
  });
}
