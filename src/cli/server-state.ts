import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock, type Lock } from '#ledger';
import { ApportionError } from '#terms';

/** Whether a server has the directory. Of a stopped one the locks are held, so that none starts meanwhile. */
export type ServerState =
  | { readonly is: 'running'; readonly says: string; readonly url: string | null }
  | { readonly is: 'stopped'; release(): void };

/** The ledger process of a server that was just killed lets go of the store as soon as it sees that. */
const ORPHAN_WAIT_MS = 10_000;

export async function serverState(dir: string): Promise<ServerState> {
  const locks: Lock[] = [];
  const release = (): void => {
    for (const lock of locks) lock.release();
  };
  try {
    for (const [file, waitMs] of [
      [join(dir, 'lock.db'), 0],
      [join(dir, 'store', 'lock.db'), ORPHAN_WAIT_MS],
    ] as const) {
      // A directory no server was started on has no lock yet, and none is made here.
      if (existsSync(file)) locks.push(await acquireLock(file, { role: 'command line', waitMs }));
    }
    return { is: 'stopped', release };
  } catch (error) {
    release();
    if (!(error instanceof ApportionError)) throw error;
    return { is: 'running', says: error.message, url: readAddress(dir) };
  }
}

/** Where the running server answers; null when it does not say. */
function readAddress(dir: string): string | null {
  try {
    const json: unknown = JSON.parse(readFileSync(join(dir, 'address.json'), 'utf8'));
    return typeof json === 'object' && json !== null && 'url' in json && typeof json.url === 'string' ? json.url : null;
  } catch {
    return null;
  }
}
