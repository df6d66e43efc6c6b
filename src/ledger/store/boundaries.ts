import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TimestampMs } from '#std';
import { writeDurably } from './durable-file.ts';
import type { SeqRange } from './store.ts';

/**
 * How far shipping has come, and what is on its way. Written before every insert, so that after a crash the very same range goes
 * out again under the same token, and never an overlapping one.
 */
export type Shipping = {
  readonly nodeId: string;
  /** Names this sending of the node's entries; 0 for the first, the time of the rebuild for later ones. */
  readonly generation: number;
  /** True between the decision to rebuild and the moment the node's old rows are gone. */
  readonly rebuilding: boolean;
  /** Every entry up to here is in the store or in quarantine. */
  readonly through: number;
  /** Entries up to `through` that the store would not take. */
  readonly quarantined: number;
  /** The insert that may or may not have happened. Starts at `through + 1`. */
  readonly sending: SeqRange | null;
  /** What follows `sending` when a rejected batch was cut: the rest of it, in order. */
  readonly pieces: readonly SeqRange[];
  readonly shippedAt: TimestampMs | null;
};

export type Boundaries = {
  /** Null when there are none, or none that can be read. */
  read(): Promise<Shipping | null>;
  write(shipping: Shipping): Promise<void>;
};

const VERSION = 1;

/** Keeps the boundaries in `shipping.json` in the store's directory. */
export function boundariesIn(dir: string): Boundaries {
  const file = join(dir, 'shipping.json');
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
        throw error;
      });
      return parseShipping(text);
    },
    async write(shipping) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeDurably(file, `${JSON.stringify({ version: VERSION, ...shipping })}\n`);
    },
  };
}

function parseShipping(text: string): Shipping | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isShipping(value) ? value : null;
}

function isShipping(value: unknown): value is Shipping {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { sending, pieces, shippedAt } = fields;
  return (
    fields['version'] === VERSION &&
    typeof fields['nodeId'] === 'string' &&
    isCount(fields['generation']) &&
    typeof fields['rebuilding'] === 'boolean' &&
    isCount(fields['through']) &&
    isCount(fields['quarantined']) &&
    (sending === null || isRange(sending)) &&
    Array.isArray(pieces) &&
    pieces.every(isRange) &&
    (shippedAt === null || isCount(shippedAt))
  );
}

function isRange(value: unknown): value is SeqRange {
  return (
    typeof value === 'object' &&
    value !== null &&
    'first' in value &&
    'last' in value &&
    isCount(value.first) &&
    isCount(value.last)
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
