import type { RandomBytes } from '#accounts';
import type { Log } from '#observe';
import type { Clock, TimestampMs } from '#std';
import { failed, type Answer } from './answer.ts';
import { waitAfter, type Backoff } from './backoff.ts';
import { fromRowChannel, type Channel } from './channel.ts';
import type { Courier } from './courier.ts';
import type { AlertQueries } from './database.ts';
import { claimNext, dueChannels, notificationOf, recordAttempt, releaseClaims, type Delivery } from './deliveries.ts';

export type DelivererDeps = {
  readonly database: AlertQueries;
  readonly courier: Courier;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Who claims, the same after a restart. */
  readonly owner: string;
  readonly backoff: Backoff;
};

/** How often it is looked whether something is due. */
const LOOK_MS = 1000;

/**
 * Brings notifications to their channels: each channel by itself, one at a time. A channel that does not take one is left alone for a
 * while, with everything that waits for it, so a receiver that is down hears of one attempt, not of all of them.
 */
export class Deliverer {
  readonly #deps: DelivererDeps;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #pausedUntil = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: DelivererDeps) {
    this.#deps = deps;
  }

  /** Goes on where the process before it was stopped or killed. */
  async start(): Promise<void> {
    await releaseClaims(this.#deps.database, this.#deps.owner);
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Starts on every channel that something is due for; those under way go on by themselves. */
  async look(): Promise<void> {
    const { database, clock, log } = this.#deps;
    try {
      const due = await dueChannels(database, clock.now());
      if (this.#closed) return;
      for (const channelId of due) this.#begin(channelId);
    } catch (error) {
      log.error({ err: error }, 'notifications that are due could not be read; it is tried again');
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(this.#lanes.values());
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.idle();
  }

  #begin(channelId: string): void {
    const paused = this.#pausedUntil.get(channelId);
    if (this.#lanes.has(channelId) || (paused !== undefined && this.#deps.clock.now() < paused)) return;
    const lane = this.#run(channelId).finally(() => this.#lanes.delete(channelId));
    this.#lanes.set(channelId, lane);
  }

  async #run(channelId: string): Promise<void> {
    const { database, clock, owner, log } = this.#deps;
    try {
      while (!this.#closed) {
        const delivery = await claimNext(database, { channelId, owner, now: clock.now() });
        if (delivery === undefined) return;
        if (!(await this.deliver(delivery)).ok) return;
      }
    } catch (error) {
      this.#pausedUntil.set(channelId, clock.now() + this.#deps.backoff.firstMs);
      log.error({ err: error, channel: channelId }, 'a notification could not be prepared; it is tried again');
    }
  }

  /** One attempt at what this process has claimed, written down. */
  async deliver(delivery: Delivery): Promise<Answer> {
    const { clock, log } = this.#deps;
    const startedMs = clock.elapsedMs();
    const answer = await this.#attempt(delivery);
    const at = clock.now();
    const nextAt = this.#nextAt(delivery, answer, at);
    await recordAttempt(this.#deps.database, {
      delivery,
      answer,
      at,
      tookMs: clock.elapsedMs() - startedMs,
      nextAt,
    });
    if (answer.ok) this.#pausedUntil.delete(delivery.channel_id);
    else {
      if (nextAt !== null) this.#pausedUntil.set(delivery.channel_id, nextAt);
      const { id, channel_id: channel } = delivery;
      log.warn(
        { delivery: id, channel, status: answer.status, again: nextAt !== null },
        'a notification was not taken',
      );
    }
    return answer;
  }

  async #attempt(delivery: Delivery): Promise<Answer> {
    const { database, courier } = this.#deps;
    const channel = await channelOf(database, delivery.channel_id);
    if (channel === undefined) return failed('The channel is gone.', 'never');
    return courier.bring(await notificationOf(database, delivery), channel.target);
  }

  #nextAt(delivery: Delivery, answer: Answer, now: TimestampMs): TimestampMs | null {
    if (answer.ok || !answer.again) return null;
    const { backoff, random } = this.#deps;
    const wait = Math.max(answer.waitMs ?? 0, waitAfter(Number(delivery.attempts) + 1, backoff, random));
    const next = now + wait;
    return next < Number(delivery.expires_at) ? (next as TimestampMs) : null;
  }
}

async function channelOf(database: AlertQueries, id: string): Promise<Channel | undefined> {
  const row = await database
    .selectFrom('alert_channels')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? undefined : fromRowChannel(row);
}
