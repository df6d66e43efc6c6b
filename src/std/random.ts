import { randomFillSync } from 'node:crypto';

export type Random = (bytes: number) => Uint8Array;

const POOL_BYTES = 4096;

/** Random bytes from the operating system, fetched by the page: one system call a call would show in a profile. */
export function createRandom(): Random {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return (bytes) => {
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const taken = Uint8Array.prototype.slice.call(pool, used, used + bytes);
    used += bytes;
    return taken;
  };
}
