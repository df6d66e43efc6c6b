import type { ErasureRecord, ErasureSubject } from '#ledger/erase';

export type ErasureRequest = {
  readonly subject: ErasureSubject;
  readonly reason: string;
  readonly actor: string;
};

export type Erasures = {
  /**
   * Begins an erasure. Resolves when no report and no file of ours has the value any more, or after a moment: it goes on, also after a
   * restart, and `list` says how far it is.
   */
  request(request: ErasureRequest): Promise<ErasureRecord>;
  /** Newest first. */
  list(): readonly ErasureRecord[];
  /** Ends at the next step; the next start goes on from there. */
  close(): Promise<void>;
};
