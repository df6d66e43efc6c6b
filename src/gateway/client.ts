import type { ServerResponse } from 'node:http';
import type { Flow } from './forward.ts';

/**
 * The caller's end of a call. It may go away or stop reading at any time: then writes are dropped, and the upstream is
 * read on or given up, as the provider's policy says.
 */
export class Client {
  readonly response: ServerResponse;
  /** Known once the request was read. */
  callId = '';
  readonly #stalledMs: number;
  #gone = false;
  #flow: Flow | null = null;
  #onGone: (() => void) | null = null;
  #stall: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, options: { readonly stalledMs: number }) {
    this.response = response;
    this.#stalledMs = options.stalledMs;
    response.on('close', () => {
      if (!response.writableFinished) this.#leave();
      clearTimeout(this.#stall);
    });
    response.on('drain', () => {
      clearTimeout(this.#stall);
      this.#flow?.resume();
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Ties the caller to the answer it reads: a caller that reads slowly slows the upstream down. */
  follow(flow: Flow, onGone: () => void): void {
    this.#flow = flow;
    this.#onGone = onGone;
    if (this.#gone) onGone();
  }

  /** A pause between attempts, which ends with the caller. */
  async wait(ms: number): Promise<void> {
    if (ms === 0 || this.#gone) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onGone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onGone = null;
  }

  /** The attempt is over; another may follow. */
  unfollow(): void {
    this.#flow = null;
    this.#onGone = null;
  }

  write(bytes: Buffer): void {
    if (this.#gone || this.response.write(bytes) || this.#flow === null) return;
    this.#flow.pause();
    this.#stall = setTimeout(() => this.response.destroy(), this.#stalledMs);
  }

  end(bytes?: Buffer): void {
    if (!this.#gone) this.response.end(bytes);
  }

  /** Breaks the answer off, so that no client takes it for complete. */
  break(): void {
    this.response.destroy();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#flow?.resume();
    this.#onGone?.();
  }
}
