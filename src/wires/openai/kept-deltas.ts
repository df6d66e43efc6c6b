import { jsonValueEnd } from '#std';
import { outputTexts } from './answer.ts';
import { parseLoosely } from '../loose-json.ts';

/** Kept of one stream for an estimate, should the provider send no usage. */
const KEPT_BYTES = 512 * 1024;

/** Most of an event is its frame; used where nothing was kept to measure it. */
const BYTES_PER_CHAR = 4;

/** What a model wrote in a stream, as the bytes it came in: nobody reads it unless an estimate is needed. */
export class KeptDeltas {
  readonly #deltas: string[] = [];
  #bytes = 0;
  #beyond = 0;

  /** Keeps the JSON value at the beginning of a delta; what follows it in the event is kept and never read. */
  keep(delta: string): void {
    if (this.#bytes + delta.length > KEPT_BYTES) {
      this.#beyond += delta.length;
      return;
    }
    this.#bytes += delta.length;
    this.#deltas.push(delta);
  }

  /** Bytes that were passed on unread. */
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

  /** Characters written beyond those that were kept: as many to the byte as there are in the kept ones. */
  get charsBeyond(): number {
    if (this.#beyond === 0) return 0;
    return Math.ceil(
      this.#bytes === 0 ? this.#beyond / BYTES_PER_CHAR : (this.#beyond * this.text.length) / this.#bytes,
    );
  }
}

/** The strings of a value whose bytes were kept one to a character. */
function textOf(kept: string): string {
  const bytes = Buffer.from(kept, 'latin1');
  const end = jsonValueEnd(bytes, 0);
  return end === -1 ? '' : outputTexts(parseLoosely(bytes.toString('utf8', 0, end))).join('');
}
