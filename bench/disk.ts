import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const SYNCS = 400;
const ENTRY_BYTES = 2_000;
const TMPFS_MAGIC = 0x01021994;

export type DiskTimes = { readonly syncMs: readonly number[]; readonly isMemory: boolean };

/** What an append and `fdatasync` of one entry costs on this disk with nothing else going on: no durable call can be faster. */
export async function measureDisk(dir: string): Promise<DiskTimes> {
  const folder = await mkdtemp(join(dir, 'apportion-disk-'));
  const file = await open(join(folder, 'probe'), 'a');
  const bytes = Buffer.alloc(ENTRY_BYTES, 'x');
  const syncMs: number[] = [];
  for (let count = 0; count < SYNCS; count += 1) {
    const startedAt = performance.now();
    await file.write(bytes);
    await file.datasync();
    syncMs.push(performance.now() - startedAt);
  }
  await file.close();
  await rm(folder, { recursive: true });
  return { syncMs, isMemory: (await statfs(dir)).type === TMPFS_MAGIC };
}
