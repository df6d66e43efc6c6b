import type { AnswerFacts, ClosingCost, StreamMeter } from '#wires';
import type { StreamReader, StreamWriter } from './side.ts';

type Parts = { readonly inner: StreamMeter; readonly reader: StreamReader; readonly writer: StreamWriter };

/** Meters a stream in the provider's words, on its own bytes, and shows it in the caller's. */
export class TranslatedMeter implements StreamMeter {
  readonly #inner: StreamMeter;
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter;

  constructor({ inner, reader, writer }: Parts) {
    this.#inner = inner;
    this.#reader = reader;
    this.#writer = writer;
  }

  push(chunk: Buffer): Buffer | null {
    const passed = this.#inner.push(chunk);
    if (passed === null) return null;
    const said = this.#writer.write(this.#reader.read(passed));
    return said === '' ? null : Buffer.from(said);
  }

  finished(): boolean {
    return this.#inner.finished();
  }

  facts(): AnswerFacts {
    return this.#inner.facts();
  }

  closing(cost: ClosingCost): Buffer {
    const { usage: counted, usageComplete } = this.#inner.facts();
    // A count of a part is none of the whole.
    const usage = usageComplete ? counted : null;
    const last = this.#inner.closing(cost);
    // A last event may come without the blank line behind it.
    const events = [...this.#reader.read(last), ...this.#reader.read(BLANK_LINE)];
    const said = this.#writer.write(events);
    return Buffer.from(said + this.#writer.end({ usage, cost }));
  }
}

const BLANK_LINE = Buffer.from('\n\n');
