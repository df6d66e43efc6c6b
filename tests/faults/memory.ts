import { setTimeout as wait } from 'node:timers/promises';
import type { Gateway } from '#world';
import { findLedger, residentBytes } from './processes.ts';

export type Role = 'gateway' | 'ledger';
export type Resident = Readonly<Record<Role, number>>;

const SAMPLE_MS = 250;
const CALM_SAMPLES = 5;
const CALM_PAUSE_MS = 150;
/** Longer than the engine takes for merges of a backlog, and V8 and the allocators to give back what they no longer use. */
const SETTLING_MS = 90_000;

/** Watches the resident memory of a gateway's two processes over their restarts. */
export class MemoryWatch {
  readonly #gateway: Gateway;
  readonly #most: Record<Role, number> = { gateway: 0, ledger: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS).unref();
  }

  /** The highest either was seen at. */
  most(): Resident {
    return { ...this.#most };
  }

  /** What the processes hold while nothing happens: the lowest of a few looks, as a collection may be under way. */
  async calm(): Promise<Resident> {
    let lowest = await this.#sample();
    for (let sample = 1; sample < CALM_SAMPLES; sample += 1) {
      await wait(CALM_PAUSE_MS);
      const { gateway, ledger } = await this.#sample();
      lowest = { gateway: Math.min(lowest.gateway, gateway), ledger: Math.min(lowest.ledger, ledger) };
    }
    return lowest;
  }

  /** What they hold once that is at most `most`, or the time to settle is over; calls may go on meanwhile. */
  async settled(most: Resident): Promise<Resident> {
    const end = performance.now() + SETTLING_MS;
    for (;;) {
      const calm = await this.calm();
      if ((calm.gateway <= most.gateway && calm.ledger <= most.ledger) || performance.now() > end) return calm;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #sample(): Promise<Resident> {
    const ledgerPid = await findLedger(this.#gateway);
    const gateway = await residentBytes(this.#gateway.pid());
    const ledger = ledgerPid === undefined ? undefined : await residentBytes(ledgerPid);
    this.#most.gateway = Math.max(this.#most.gateway, gateway ?? 0);
    this.#most.ledger = Math.max(this.#most.ledger, ledger ?? 0);
    return { gateway: gateway ?? 0, ledger: ledger ?? 0 };
  }
}
