import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from './durable-file.ts';

/** An entry the store would not take, and what the store said. The ledger still has it; only reports lack it. */
export type Refused = { readonly nodeId: string; readonly seq: number; readonly reason: string; readonly body: string };

export type Quarantine = {
  /** Resolves when the entry is on disk. The same entry twice is one. */
  put(refused: Refused): Promise<void>;
  /** Sequence numbers, ascending. */
  list(): Promise<number[]>;
  /** For a rebuild, which tries every entry again. */
  clear(): Promise<void>;
};

/** Keeps each refused entry in `quarantine/<seq>.json` in the store's directory. */
export function quarantineIn(storeDir: string): Quarantine {
  const dir = join(storeDir, 'quarantine');
  return {
    async put({ nodeId, seq, reason, body }) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeDurably(
        join(dir, `${seq}.json`),
        `${JSON.stringify({ node_id: nodeId, seq, reason, entry: body })}\n`,
      );
    },
    async list() {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const names = await readdir(dir);
      return names
        .filter((name) => /^\d+\.json$/.test(name))
        .map((name) => Number.parseInt(name, 10))
        .toSorted((left, right) => left - right);
    },
    clear: () => rm(dir, { recursive: true, force: true }),
  };
}
