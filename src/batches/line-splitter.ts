import { ApportionError, LIMITS } from '#terms';

const NEWLINE = 0x0a;

/** Cuts bytes that come in any pieces into lines. Holds one line at most. */
export class LineSplitter {
  readonly #take: (line: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(take: (line: Buffer) => void) {
    this.#take = take;
  }

  /** @throws ApportionError `upstream_broken` for a line beyond all limits: what it cost could not be told */
  push(chunk: Buffer): void {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      this.#hold(chunk.subarray(at, end));
      this.end();
      at = end + 1;
    }
    if (at < chunk.length) this.#hold(Buffer.from(chunk.subarray(at)));
  }

  /** The last line may lack its line break. */
  end(): void {
    const [first] = this.#held;
    const line = first !== undefined && this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (line.length > 0) this.#take(line);
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    if (this.#heldBytes > LIMITS.batchLineBytes)
      throw new ApportionError(
        'upstream_broken',
        `A line of the results is larger than ${LIMITS.batchLineBytes} bytes.`,
        {
          hint: 'It cannot be metered. Fetch the results from the provider, and report this.',
        },
      );
    this.#held.push(part);
  }
}
