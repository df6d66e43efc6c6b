import { Redis } from 'ioredis';
import { invariant, type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { BIRTH_SCRIPT, KEEP_SCRIPT, LEASE_SCRIPT, picoOfScript, scriptAmount } from './scripts.ts';

/** What a node says it has of a share. */
export type Having = { readonly share: string; readonly amount: PicoUsd; readonly until: TimestampMs | null };

/** What it wants beyond that: nothing is better than less than `least`. */
export type Bid = Having & { readonly least: PicoUsd; readonly most: PicoUsd; readonly limit: PicoUsd };

export type Sold = {
  /** When Redis began to know what it knows: another one means that it has forgotten. */
  readonly born: string;
  /** How long the nodes still have to say what they have. */
  readonly settlingMs: number;
  readonly amount: PicoUsd;
  readonly elsewhere: PicoUsd;
};

/** A share that another node wants more of, or has given some of back. */
export type Notice = { readonly is: 'wanted' | 'given'; readonly share: string };

export type DeskDeps = {
  readonly url: string;
  readonly nodeId: string;
  readonly noticed: (notice: Notice) => void;
  /** The way to Redis is there (again), or gone. */
  readonly connected: (is: 'up' | 'down', why: string) => void;
};

const BIRTH_KEY = '{apportion}:born';
const CHANNEL = '{apportion}:shares';

/** Every node asks Redis each second: three are enough to hear of each other. */
const SETTLING_MS = 3_000;

const COMMAND_TIMEOUT_MS = 1_000;
const LONGEST_RETRY_MS = 1_000;

/** Where leases are kept for all nodes. Every method rejects while Redis cannot be reached; an answer that is lost leases too much, never too little. */
export class LeaseDesk {
  readonly #deps: DeskDeps;
  readonly #redis: Redis;
  readonly #listener: Redis;

  constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#redis = this.#connect();
    this.#listener = this.#connect();
    this.#redis.on('ready', () => deps.connected('up', ''));
    this.#redis.on('close', () => deps.connected('down', 'the connection was closed'));
    this.#listener.on('ready', () => this.#listen());
    this.#listener.on('message', (_channel: string, text: string) => this.#read(text));
  }

  async keep({ share, amount, until }: Having): Promise<Pick<Sold, 'born' | 'elsewhere'>> {
    const [born = '', elsewhere = ''] = textsOf(
      await this.#redis.eval(KEEP_SCRIPT, 2, keyOf(share), BIRTH_KEY, ...this.#having({ share, amount, until })),
    );
    return { born, elsewhere: picoUsd(picoOfScript(elsewhere)) };
  }

  async lease(bid: Bid): Promise<Sold> {
    const [born = '', settling = '', amount = '', elsewhere = ''] = textsOf(
      await this.#redis.eval(
        LEASE_SCRIPT,
        2,
        keyOf(bid.share),
        BIRTH_KEY,
        ...this.#having(bid),
        scriptAmount(bid.least),
        scriptAmount(bid.most),
        scriptAmount(bid.limit),
        SETTLING_MS,
        CHANNEL,
        this.#message({ is: 'wanted', share: bid.share }),
      ),
    );
    return {
      born,
      settlingMs: Number(settling),
      amount: picoUsd(picoOfScript(amount)),
      elsewhere: picoUsd(picoOfScript(elsewhere)),
    };
  }

  async announce(share: string): Promise<void> {
    await this.#redis.publish(CHANNEL, this.#message({ is: 'given', share }));
  }

  /** When Redis began to know what it knows: now, if it knows nothing. */
  async born(): Promise<string> {
    return String(await this.#redis.eval(BIRTH_SCRIPT, 1, BIRTH_KEY));
  }

  close(): void {
    this.#redis.disconnect();
    this.#listener.disconnect();
  }

  #having({ amount, until }: Having): readonly [string, string, string] {
    return [this.#deps.nodeId, scriptAmount(amount), until === null ? '' : String(until)];
  }

  #connect(): Redis {
    const redis = new Redis(this.#deps.url, {
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      enableOfflineQueue: false,
      // A script that was sent twice would be paid for twice: whoever asks decides.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (times) => Math.min(50 * 2 ** times, LONGEST_RETRY_MS),
    });
    redis.on('error', (error: Error) => this.#deps.connected('down', error.message));
    return redis;
  }

  #listen(): void {
    this.#listener.subscribe(CHANNEL).catch((error: unknown) => this.#deps.connected('down', String(error)));
  }

  #message(notice: Notice): string {
    return JSON.stringify({ ...notice, node: this.#deps.nodeId });
  }

  /** Anybody with access to Redis can publish: what is no notice is not for us. */
  #read(text: string): void {
    try {
      const { is, share, node }: Partial<Record<string, unknown>> = JSON.parse(text);
      if (node === this.#deps.nodeId || typeof share !== 'string') return;
      if (is === 'wanted' || is === 'given') this.#deps.noticed({ is, share });
    } catch {
      return;
    }
  }
}

function keyOf(share: string): string {
  return `{apportion}:share:${share}`;
}

function textsOf(answer: unknown): readonly string[] {
  invariant(Array.isArray(answer), 'a script of ours answers a list');
  return answer.map(String);
}
