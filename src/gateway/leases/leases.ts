import type { LeaseRow, LeaseWant } from '#budgets';
import type { Journal } from '#ledger';
import type { Log } from '#observe';
import type { Clock } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { LeaseDesk, type Notice } from './lease-desk.ts';

export type LeasesDeps = {
  readonly url: string;
  readonly nodeId: string;
  readonly journal: Pick<Journal, 'lease' | 'leaseRows'>;
  readonly clock: Clock;
  readonly log: Log;
};

/** How long a call waits for what other nodes give back. */
const GIVE_BACK_MS = 400;
/** What was not to be had is not asked for again so soon, unless another node gives something back. */
const DRY_MS = 1_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;
const BEAT_MS = 1_000;
/** How long the first rules wait for Redis to be there. */
const MEETING_MS = 5_000;

/** A lease reaches beyond the call that needs it by this part of the limit, so that most calls need not ask. */
const SLICE = 50n;

type Round = { least: bigint; sum: bigint; want: LeaseWant; readonly sold: Promise<boolean> };

/**
 * Leases of budgets that several nodes share, through Redis. The journal thread says what it lacks and what it has left; nothing here
 * decides about a call. Of one share one thing is done at a time, so that what Redis, the journal thread and this one know agrees.
 */
export class Leases {
  readonly #deps: LeasesDeps;
  readonly #desk: LeaseDesk;
  readonly #beat: NodeJS.Timeout;
  /** Wants of the same share are one. */
  readonly #rounds = new Map<string, Round>();
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #dry = new Map<string, { readonly least: bigint; readonly untilMs: number }>();
  readonly #wakers = new Map<string, () => void>();
  readonly #met = Promise.withResolvers<void>();
  readonly #meeting: NodeJS.Timeout;
  #reach: 'unknown' | 'up' | 'down' = 'unknown';
  #born: string | null = null;
  #told = false;
  #closed = false;

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
    this.#desk = new LeaseDesk({
      url: deps.url,
      nodeId: deps.nodeId,
      noticed: (notice) => this.#noticed(notice),
      connected: (is, why) => (is === 'up' ? void this.#tellAll('nothing') : this.#lost(why)),
    });
    this.#meeting = setTimeout(() => this.#lost('it does not answer'), MEETING_MS).unref();
    this.#beat = setInterval(() => void this.#check(), BEAT_MS).unref();
  }

  /** Resolves true when it is worth reserving again, false when what is wanted is not to be had. */
  async obtain(wants: readonly LeaseWant[]): Promise<boolean> {
    await this.#met.promise;
    const sold = await Promise.all(wants.map((want) => this.#join(want)));
    return sold.every(Boolean);
  }

  /** Rules have changed: no node keeps more than it needs, so that a lower limit holds from now on. */
  async rulesChanged(): Promise<void> {
    await this.#met.promise;
    this.#dry.clear();
    await this.#tellAll('everything');
  }

  /** Gives back what is not needed, as far as Redis can be reached. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    clearTimeout(this.#meeting);
    await this.#tellAll('everything');
    this.#closed = true;
    this.#desk.close();
  }

  #join(want: LeaseWant): Promise<boolean> {
    const { share, needed } = want;
    const dry = this.#dry.get(share);
    if (dry !== undefined && needed >= dry.least && this.#deps.clock.elapsedMs() < dry.untilMs)
      return Promise.resolve(false);
    const known = this.#rounds.get(share);
    if (known !== undefined) {
      known.sum += needed;
      if (needed < known.least) known.least = needed;
      known.want = want;
      return known.sold;
    }
    const sold = Promise.withResolvers<boolean>();
    const round: Round = { least: needed, sum: needed, want, sold: sold.promise };
    this.#rounds.set(share, round);
    // Wants of the same tick go together.
    setImmediate(() => void this.#buy(round).then(sold.resolve, sold.reject));
    return sold.promise;
  }

  async #buy(round: Round): Promise<boolean> {
    const { clock } = this.#deps;
    const { share } = round.want;
    let giveUpMs = clock.elapsedMs() + GIVE_BACK_MS;
    try {
      for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        const settlingMs = await this.#alone(share, () => this.#bid(round));
        if (settlingMs === null) return true;
        if (settlingMs > 0) giveUpMs = clock.elapsedMs() + settlingMs + GIVE_BACK_MS;
        if (clock.elapsedMs() >= giveUpMs) break;
        await this.#pause(share, pause);
      }
      this.#dry.set(share, { least: round.least, untilMs: clock.elapsedMs() + DRY_MS });
    } catch (error) {
      this.#lost(reasonOf(error));
    } finally {
      this.#rounds.delete(share);
    }
    return false;
  }

  /** Null when there is more than before; else how long nothing can be leased at all. */
  async #bid(round: Round): Promise<number | null> {
    const { journal } = this.#deps;
    const { share, limit, until } = round.want;
    const { lease, level } = (await this.#rowOf(share)) ?? { lease: 0n, level: round.want.level };
    if (lease - level >= round.least) return null;
    const amount = largest(lease, level);
    const least = picoUsd(level + round.least - amount);
    const most = picoUsd(level + round.sum - amount + limit / SLICE);
    const sold = await this.#desk.lease({ share, amount, until, least, most, limit });
    this.#heard(sold.born);
    journal.lease([{ share, amount: sold.amount, elsewhere: sold.elsewhere }], true);
    return sold.amount > amount ? null : sold.settlingMs;
  }

  async #rowOf(share: string): Promise<LeaseRow | undefined> {
    const [row] = await this.#deps.journal.leaseRows({ of: [share], trim: [] });
    return row;
  }

  #noticed({ is, share }: Notice): void {
    if (is === 'given') {
      this.#dry.delete(share);
      this.#wakers.get(share)?.();
      return;
    }
    void this.#giveBack(share).catch((error: unknown) => this.#lost(reasonOf(error)));
  }

  async #giveBack(share: string): Promise<void> {
    const gave = await this.#alone(share, async () => {
      const row = await this.#rowOf(share);
      if (row === undefined || row.lease <= row.level) return false;
      await this.#deps.journal.leaseRows({ of: [], trim: [share] });
      await this.#tell(share);
      return true;
    });
    if (gave) await this.#desk.announce(share);
  }

  async #tell(share: string): Promise<void> {
    const row = await this.#rowOf(share);
    if (row === undefined) return;
    const { born } = await this.#desk.keep({ share, amount: largest(row.lease, row.level), until: row.until });
    this.#heard(born);
  }

  /** Tells Redis all this node has spent and leased; `everything`: once it has given back what it does not need. */
  async #tellAll(giveBack: 'nothing' | 'everything'): Promise<void> {
    if (this.#closed) return;
    try {
      this.#heard(await this.#desk.born());
      const trim = giveBack === 'everything' ? 'all' : [];
      for (const { share } of await this.#deps.journal.leaseRows({ of: 'all', trim })) {
        await this.#alone(share, () => this.#tell(share));
        if (giveBack === 'everything') await this.#desk.announce(share);
      }
      this.#told = true;
      this.#found();
    } catch (error) {
      this.#lost(reasonOf(error));
    }
  }

  /** Each second: whether Redis is there, whether it has forgotten, and whether more was spent than is leased. */
  async #check(): Promise<void> {
    if (this.#closed || this.#reach === 'unknown') return;
    try {
      this.#heard(await this.#desk.born());
      if (!this.#told || this.#reach !== 'up') return await this.#tellAll('nothing');
      const rows = await this.#deps.journal.leaseRows({ of: 'known', trim: [] });
      for (const { share } of rows.filter(({ lease, level }) => level > lease))
        await this.#alone(share, () => this.#tell(share));
    } catch (error) {
      this.#lost(reasonOf(error));
    }
  }

  /** Redis has forgotten, or is another one: all that this node has must be told before anybody leases anew. */
  #heard(born: string): void {
    if (born === this.#born) return;
    if (this.#born !== null)
      this.#deps.log.error({}, 'Redis has forgotten the leases of budgets; every node tells its own again');
    this.#born = born;
    this.#told = false;
  }

  #found(): void {
    if (this.#reach === 'up') return;
    this.#reach = 'up';
    this.#met.resolve();
    this.#deps.journal.lease([], true);
    this.#deps.log.info({}, 'budgets are shared through Redis');
  }

  #lost(why: string): void {
    if (this.#reach === 'down' || this.#closed) return;
    this.#reach = 'down';
    this.#met.resolve();
    this.#told = false;
    this.#deps.journal.lease([], false);
    this.#deps.log.error(
      { why },
      'Redis cannot be reached: shared budgets spend what is leased, or refuse, as each says',
    );
  }

  async #pause(share: string, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakers.set(share, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#wakers.delete(share);
  }

  async #alone<T>(share: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(share) ?? Promise.resolve()).then(work);
    const ended = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(share, ended);
    try {
      return await mine;
    } finally {
      if (this.#last.get(share) === ended) this.#last.delete(share);
    }
  }
}

function largest(left: bigint, right: bigint): PicoUsd {
  return picoUsd(left > right ? left : right);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
