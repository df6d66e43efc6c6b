import { jsonValueEnd } from '#std';
import { outputTexts } from './answer.ts';
import { parseLoosely } from './loose-json.ts';

/** Kept of one stream for an estimate, should the provider send no usage. */
const KEPT_BYTES = 256 * 1024;

/** What a model wrote in a stream, as the bytes it came in: nobody reads it unless an estimate is needed. */
export class KeptDeltas {
  readonly #deltas: string[] = [];
  #bytes = 0;
  #beyond = 0;

  /** Keeps the JSON value that begins at `from`; what follows it in the event is kept and never read. */
  keep(event: Buffer, from: number): void {
    const length = event.length - from;
    if (this.#bytes + length > KEPT_BYTES) {
      this.#beyond += length;
      return;
    }
    this.#bytes += length;
    this.#deltas.push(event.toString('latin1', from, event.length));
  }

  skip(bytes: number): void {
    this.#beyond += bytes;
  }

  /** How much was seen so far. */
  get mark(): number {
    return this.#deltas.length + this.#beyond;
  }

  /** Whether the model wrote anything after a mark. */
  wroteSince(mark: number): boolean {
    if (this.mark === mark) return false;
    return this.#beyond > 0 || this.#deltas.slice(mark).some((delta) => textOf(delta) !== '');
  }

  get text(): string {
    return this.#deltas.map(textOf).join('');
  }

  get charsBeyond(): number {
    return this.#beyond;
  }
}

function textOf(kept: string): string {
  const bytes = Buffer.from(kept, 'latin1');
  const end = jsonValueEnd(bytes, 0);
  return end === -1 ? '' : outputTexts(parseLoosely(bytes.toString('utf8', 0, end))).join('');
}
