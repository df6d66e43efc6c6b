import type { BatchBook } from '#batches';
import type { Flow } from '../forward.ts';

type Reader = Awaited<ReturnType<BatchBook['reader']>>;

/** Lines that wait for the disk: beyond the one the provider is held back, below the other it goes on. */
const MOST_WAITING = 4_000;
const FEW_WAITING = 1_000;

/** Results on their way through a reader, no faster than their lines are recorded. */
export class MeteredFlow {
  readonly #reader: Reader;
  #held = false;
  #failure: Error | null = null;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  push(chunk: Buffer, flow: Pick<Flow, 'pause' | 'resume' | 'abandon'>): void {
    if (this.#failure !== null) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('results cannot be metered', { cause: error });
      flow.abandon();
      return;
    }
    if (this.#held || this.#reader.waiting < MOST_WAITING) return;
    this.#held = true;
    flow.pause();
    void this.#reader.drained(FEW_WAITING).then(() => {
      this.#held = false;
      flow.resume();
    });
  }

  /** Resolves when all that passed is on disk. @throws also what went wrong on the way */
  async close(end: 'whole' | 'cut'): Promise<void> {
    await this.#reader.close(this.#failure === null ? end : 'cut');
    if (this.#failure !== null) throw this.#failure;
  }
}
