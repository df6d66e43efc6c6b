import type { Connection } from './connection.ts';
import { ENTRIES } from './schema.ts';

/** Whose entries are in the store. Others may write to a server at any time, so nobody is alone there. */
export class PresentNodes {
  readonly #nodes = new Set<string>();
  readonly #isShared: boolean;

  constructor({ isShared }: { readonly isShared: boolean }) {
    this.#isShared = isShared;
  }

  async load(connection: Connection): Promise<void> {
    if (this.#isShared) return;
    const rows = await connection.rows<{ node: string }>(`SELECT DISTINCT node_id AS node FROM ${ENTRIES}`);
    for (const { node } of rows) this.#nodes.add(node);
  }

  add(nodeId: string): void {
    this.#nodes.add(nodeId);
  }

  /** True as long as no other node has entries. */
  isAlone(nodeId: string): boolean {
    return !this.#isShared && this.#nodes.size <= 1 && (this.#nodes.size === 0 || this.#nodes.has(nodeId));
  }
}
