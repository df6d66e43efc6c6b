import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type SmallDisk = {
  /** Leaves no room, as another program's files do. */
  fill(): void;
  free(): void;
  unmount(): void;
};

/** A file system of that size, mounted at a folder that is made. Only root can. */
export function mountSmallDisk(dir: string, megabytes: number): SmallDisk {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', dir], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
  const ballast = join(dir, 'ballast');
  return {
    fill: () => writeUntilFull(ballast),
    free: () => rmSync(ballast),
    unmount: () => {
      // A process that was killed a moment ago may still hold a file.
      if (spawnSync('umount', ['-l', dir]).status !== 0) throw new Error(`${dir} cannot be unmounted`);
    },
  };
}

const STEPS_BYTES = [1024 * 1024, 4096, 1];

function writeUntilFull(path: string): void {
  const fd = openSync(path, 'w');
  for (const step of STEPS_BYTES) {
    const bytes = Buffer.alloc(step);
    while (fits(fd, bytes));
  }
  closeSync(fd);
}

function fits(fd: number, bytes: Buffer): boolean {
  try {
    return writeSync(fd, bytes) === bytes.length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
