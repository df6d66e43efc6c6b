import type { AuditLog, ControlDatabase, RandomBytes } from '#accounts';
import type { StoreReader } from '#analytics';
import type { Crossing, Standing } from '#budgets';
import type { Log } from '#observe';
import type { Clock } from '#std';
import { BACKOFF, type Backoff } from './backoff.ts';
import { Channels } from './channels.ts';
import { createCourier, type Courier } from './courier.ts';
import { withAlertTables, type AlertQueries } from './database.ts';
import { expire, forgetOld } from './deliveries.ts';
import { Deliverer } from './deliverer.ts';
import { Evaluation } from './evaluation.ts';
import { forgetInAlerts, type ForgetRequest, type Forgotten } from './forget.ts';
import { listDeliveries, listEvents, type DeliveriesAsk, type EventsAsk } from './history.ts';
import { judgeCrossings, type NamedBudget } from './judge-budgets.ts';
import type { Health } from './judge-health.ts';
import type { MailSettings } from './mail.ts';
import { migrateAlerts } from './migrations.ts';
import { Outbox } from './outbox.ts';
import { Rules } from './rules.ts';
import type { TargetPolicy } from './targets.ts';

export type AlertsDeps = {
  readonly control: ControlDatabase;
  readonly audit: AuditLog;
  readonly store: StoreReader;
  readonly budgets: () => Promise<readonly NamedBudget[]>;
  /** How budgets stand now; null while nobody can say. */
  readonly standings: () => Promise<readonly Standing[] | null>;
  /** How journal and store are now. */
  readonly health: () => Promise<Health>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** This process, the same after a restart. */
  readonly owner: string;
  readonly policy: TargetPolicy;
  /** Null: no mail can be sent. */
  readonly mail: MailSettings | null;
  readonly timeoutMs?: number;
  readonly backoff?: Backoff;
};

const TIMEOUT_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Opens the tables of alerts in `control.db`. Nothing is evaluated or sent before `start`. */
export async function openAlerts(deps: AlertsDeps): Promise<Alerts> {
  await migrateAlerts(deps.control);
  return new Alerts(deps);
}

/** Rules that are looked at every minute, the events they find, and their way to whoever wants to know. */
export class Alerts {
  readonly rules: Rules;
  readonly channels: Channels;
  readonly #deps: AlertsDeps;
  readonly #database: AlertQueries;
  readonly #outbox: Outbox;
  readonly #evaluation: Evaluation;
  readonly #deliverer: Deliverer;
  readonly #courier: Courier;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: AlertsDeps) {
    const database = withAlertTables(deps.control);
    const { timeoutMs = TIMEOUT_MS, backoff = BACKOFF } = deps;
    this.#deps = deps;
    this.#database = database;
    this.#outbox = new Outbox({ database, clock: deps.clock });
    this.#courier = createCourier({ ...deps, timeoutMs });
    this.#deliverer = new Deliverer({ ...deps, database, courier: this.#courier, backoff });
    this.rules = new Rules({ ...deps, database, outbox: this.#outbox, changed: () => this.#lookSoon() });
    this.channels = new Channels({ ...deps, database, deliverer: this.#deliverer, rules: this.rules });
    this.#evaluation = new Evaluation({ ...deps, rules: this.rules, outbox: this.#outbox });
  }

  events(ask: EventsAsk): ReturnType<typeof listEvents> {
    return listEvents(this.#database, ask);
  }

  deliveries(ask: DeliveriesAsk): ReturnType<typeof listDeliveries> {
    return listDeliveries(this.#database, ask);
  }

  /** What names somebody goes from events, notifications and rules; what happened and what it cost stays. Can be repeated. */
  forget(request: ForgetRequest): Promise<Forgotten> {
    return forgetInAlerts(this.#database, request);
  }

  /** Looks at all rules at every full minute, and sends what waits, from before too. */
  async start(): Promise<void> {
    await this.#deliverer.start();
    this.#wait();
  }

  /** Budgets passed thresholds. Told twice, it is the same; not told, the next look at the budgets finds it. */
  async crossed(crossings: readonly Crossing[]): Promise<void> {
    const budgets = new Map((await this.#deps.budgets()).map((one) => [one.id, one]));
    const now = this.#deps.clock.now();
    for (const record of await this.rules.list()) {
      const { rule } = record;
      if (!rule.enabled || rule.type !== 'budget_threshold') continue;
      const found = judgeCrossings(rule, crossings, { budgets, now });
      if (found.length > 0) await this.#outbox.add(record, found);
    }
    await this.#deliverer.look();
  }

  /** One round: rules, digests, what is too old; then what is due is on its way. */
  async look(): Promise<void> {
    const { clock, random } = this.#deps;
    await this.#evaluation.run();
    await this.#outbox.collect(() => `ald_${Buffer.from(random(16)).toString('hex')}`);
    await expire(this.#database, clock.now());
    if (clock.now() % HOUR_MS < MINUTE_MS) await forgetOld(this.#database, clock.now());
    await this.#deliverer.look();
  }

  /** Resolves when no notification is under way. */
  async idle(): Promise<void> {
    await this.#deliverer.idle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#deliverer.close();
    await this.#courier.close();
  }

  /** Rounds begin with the minute on every machine, and never overlap. */
  #wait(): void {
    if (this.#closed) return;
    const now = this.#deps.clock.now();
    this.#timer = setTimeout(
      () => {
        this.#round = this.#round.then(() => this.#lookSafely()).then(() => this.#wait());
      },
      MINUTE_MS - (now % MINUTE_MS),
    );
  }

  /** Who makes a rule wants to see what it finds. */
  #lookSoon(): void {
    if (this.#timer !== undefined) this.#round = this.#round.then(() => this.#lookSafely());
  }

  async #lookSafely(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.look();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'alerts could not be looked at; they are in a minute');
    }
  }
}
