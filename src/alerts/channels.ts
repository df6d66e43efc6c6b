import type { Selectable } from 'kysely';
import type { AuditEvent, RandomBytes } from '#accounts';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import type { Answer } from './answer.ts';
import { audited, type AuditedDeps } from './audited.ts';
import {
  fromRowChannel,
  givenOf,
  parseChannel,
  shownOf,
  type Channel,
  type ChannelDeps,
  type ChannelTarget,
} from './channel.ts';
import type { AlertQueries, ChannelTable } from './database.ts';
import type { Deliverer } from './deliverer.ts';
import { rowOf } from './outbox.ts';
import { asFields, type Rules } from './rules.ts';
import { SECRET_PREFIX } from './signature.ts';

export type ChannelsDeps = AuditedDeps &
  Omit<ChannelDeps, 'newSecret'> & {
    readonly database: AlertQueries;
    readonly deliverer: Deliverer;
    readonly rules: Rules;
    readonly clock: Clock;
    readonly random: RandomBytes;
  };

export type NewChannel = {
  readonly channel: Channel;
  /** The secret that was made for a webhook, to be shown this once. */
  readonly secret: string | null;
};

/** Where notifications go, and every change of it in the audit log, without secrets. */
export class Channels {
  readonly #deps: ChannelsDeps;

  constructor(deps: ChannelsDeps) {
    this.#deps = deps;
  }

  async list(): Promise<readonly Channel[]> {
    const rows = await this.#deps.database
      .selectFrom('alert_channels')
      .selectAll()
      .where('deleted_at', 'is', null)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(fromRowChannel);
  }

  async get(id: string): Promise<Channel> {
    const row = await this.#deps.database
      .selectFrom('alert_channels')
      .selectAll()
      .where('id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    if (row !== undefined) return fromRowChannel(row);
    throw new ApportionError('not_found', 'There is no such channel.', { hint: 'GET /v1/alerts/channels lists them.' });
  }

  async create(body: unknown, actor: string): Promise<NewChannel> {
    const made: string[] = [];
    const parsed = this.#parse(body, made);
    const id = this.#newId('alc');
    const now = this.#deps.clock.now();
    const event = eventOf({ id, ...parsed }, { actor, action: 'alert_channel.create' });
    await audited(this.#deps, event, async (queries) => {
      const times = { created_at: now, created_by: actor, updated_at: now, deleted_at: null };
      await queries
        .insertInto('alert_channels')
        .values({ id, name: parsed.name, ...toRowTarget(parsed.target), ...times })
        .execute();
    });
    return { channel: await this.get(id), secret: made[0] ?? null };
  }

  /** @param change fields of the channel; those it does not name stay, secrets included */
  async update(id: string, change: unknown, actor: string): Promise<Channel> {
    const before = await this.get(id);
    const parsed = this.#parse({ ...givenOf(before), ...asFields(change) }, []);
    if (parsed.target.kind !== before.target.kind) {
      throw new ApportionError('invalid_field', 'kind: a channel keeps its kind.', { param: 'kind' });
    }
    const event = eventOf({ id, ...parsed }, { actor, action: 'alert_channel.update' });
    await audited(this.#deps, event, async (queries) => {
      await queries
        .updateTable('alert_channels')
        .set({ name: parsed.name, ...toRowTarget(parsed.target), updated_at: this.#deps.clock.now() })
        .where('id', '=', id)
        .execute();
    });
    return this.get(id);
  }

  /** Its secrets are gone at once; what waits for it is given up. */
  async delete(id: string, actor: string): Promise<Channel> {
    const channel = await this.get(id);
    await this.#refuseWhileUsed(id);
    const now = this.#deps.clock.now();
    const event = eventOf(channel, { actor, action: 'alert_channel.delete' });
    await audited(this.#deps, event, async (queries) => {
      await queries
        .updateTable('alert_channels')
        .set({ deleted_at: now, secrets: '{}', shown: '{}' })
        .where('id', '=', id)
        .execute();
      await queries
        .updateTable('alert_deliveries')
        .set({ state: 'failed', done_at: now })
        .where('channel_id', '=', id)
        .where('state', 'in', ['waiting', 'collecting'])
        .execute();
    });
    return channel;
  }

  /** One attempt, now; it stands in the history like every other. */
  async test(id: string, actor: string): Promise<Answer & { readonly deliveryId: string }> {
    const { clock, deliverer } = this.#deps;
    const channel = await this.get(id);
    const now = clock.now();
    const deliveryId = `ald_${Buffer.from(this.#deps.random(16)).toString('hex')}`;
    const row = {
      ...rowOf({ id: deliveryId, channelId: id, eventId: null, kind: 'test', now }),
      // There is no second attempt, and nobody else makes the first.
      expires_at: now,
      claimed_until: now + TEST_MS,
    };
    await audited(this.#deps, eventOf(channel, { actor, action: 'alert_channel.test' }), async (queries) => {
      await queries.insertInto('alert_deliveries').values(row).execute();
    });
    return { ...(await deliverer.deliver(row)), deliveryId };
  }

  #parse(body: unknown, made: string[]): { readonly name: string; readonly target: ChannelTarget } {
    const newSecret = (): string => {
      const secret = SECRET_PREFIX + Buffer.from(this.#deps.random(32)).toString('base64');
      made.push(secret);
      return secret;
    };
    return parseChannel(body, { ...this.#deps, newSecret });
  }

  #newId(of: string): string {
    return `${of}_${Buffer.from(this.#deps.random(10)).toString('hex')}`;
  }

  async #refuseWhileUsed(id: string): Promise<void> {
    const user = (await this.#deps.rules.list()).find(({ rule }) => rule.channels.includes(id));
    if (user === undefined) return;
    throw new ApportionError('conflict', `The rule "${user.rule.name}" sends to this channel.`, {
      hint: `Take it out of the channels of ${user.id} first.`,
    });
  }
}

/** Longer than an attempt takes. */
const TEST_MS = 60_000;

function toRowTarget(target: ChannelTarget): Pick<Selectable<ChannelTable>, 'kind' | 'shown' | 'secrets'> {
  const { kind, ...secrets } = target;
  return { kind, shown: JSON.stringify(shownOf(target)), secrets: JSON.stringify(secrets) };
}

function eventOf(
  { id, name, target }: { readonly id: string; readonly name: string; readonly target: ChannelTarget },
  { actor, action }: { readonly actor: string; readonly action: string },
): AuditEvent {
  return { actor, action, target: id, detail: { kind: target.kind, name, ...shownOf(target) } };
}
