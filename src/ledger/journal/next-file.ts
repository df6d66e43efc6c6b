import { close, closeSync, fsync, open, openSync, rm, rmSync } from 'node:fs';
import { segmentPath, type TemporaryFile } from './segment.ts';

/**
 * The file of the next segment, made ahead of time: syncing a new file for the first time takes several times as long as
 * syncing it again, and whoever waits for the journal would wait for that when the segment is full.
 */
export class NextFile {
  readonly #dir: string;
  /** `fd` is null until the file is there and synced. */
  #next: { readonly segment: number; readonly path: string; readonly fd: number | null } | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes it in the background, under a name that nothing else uses. Once for a segment; asking again is free. */
  prepare(segment: number): void {
    if (this.#next !== null) return;
    const path = `${segmentPath(this.#dir, segment)}.next.tmp`;
    const preparing = { segment, path, fd: null };
    this.#next = preparing;
    open(path, 'w', 0o600, (failure, fd) => {
      // The segment is then begun with a file that is made on the spot, which fails for the same reason and tells it.
      if (failure !== null) return;
      fsync(fd, (error) => {
        if (error === null && this.#next === preparing) this.#next = { segment, path, fd };
        else discard(path, fd);
      });
    });
  }

  take(segment: number): TemporaryFile {
    const next = this.#next;
    this.#next = null;
    if (next?.segment === segment && next.fd !== null) return { path: next.path, fd: next.fd };
    const path = `${segmentPath(this.#dir, segment)}.tmp`;
    return { path, fd: openSync(path, 'w', 0o600) };
  }

  close(): void {
    const next = this.#next;
    this.#next = null;
    if (next === null || next.fd === null) return;
    closeSync(next.fd);
    rmSync(next.path, { force: true });
  }
}

/** Too late: the segment was begun without it. What is left of it does no harm, and goes at the next open. */
function discard(path: string, fd: number): void {
  close(fd, () => rm(path, () => undefined));
}
