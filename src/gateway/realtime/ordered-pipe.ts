import type { WebSocket } from 'ws';

export type PipeParts = {
  readonly from: WebSocket;
  readonly to: WebSocket;
  /** What goes on of a message; null for nothing. */
  readonly take: (bytes: Buffer) => Promise<Buffer | null>;
  readonly failed: (error: unknown) => void;
};

/** Messages that wait to be taken: beyond it nothing more is read. */
const MOST_WAITING = 32;

/** Bytes that the reader has not taken: beyond it its source is held back. */
const MOST_BUFFERED_BYTES = 4 * 1024 * 1024;

/** One direction of a dialogue: messages in order, one at a time, no faster than they are read. */
export class OrderedPipe {
  readonly #parts: PipeParts;
  #waiting: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];
  #running: Promise<void> | null = null;
  #paused = false;

  constructor(parts: PipeParts) {
    this.#parts = parts;
  }

  push(bytes: Buffer, isBinary: boolean): void {
    this.#waiting.push({ bytes, isBinary });
    this.#balance();
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when everything that came has gone on. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    const { to, take, failed } = this.#parts;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        const out = next.isBinary ? next.bytes : await take(next.bytes);
        if (out !== null && to.readyState === to.OPEN) to.send(out, { binary: next.isBinary }, () => this.#balance());
      } catch (error) {
        this.#waiting = [];
        failed(error);
        return;
      }
      this.#balance();
    }
  }

  #balance(): void {
    const { from, to } = this.#parts;
    // Nobody reads on a side that is gone, and what comes is read on for its usage.
    const unread = to.readyState === to.OPEN ? to.bufferedAmount : 0;
    const full = this.#waiting.length > MOST_WAITING || unread > MOST_BUFFERED_BYTES;
    if (full === this.#paused || from.readyState !== from.OPEN) return;
    this.#paused = full;
    if (full) from.pause();
    else from.resume();
  }
}
