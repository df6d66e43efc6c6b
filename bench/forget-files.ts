import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Takes a folder's files out of the page cache, so that the next read comes from the disk. Nothing where GNU dd is missing. */
export async function forgetFiles(dir: string): Promise<void> {
  const drop = ['-type', 'f', '-exec', 'dd', 'if={}', 'iflag=nocache', 'count=0', 'status=none', ';'];
  await promisify(execFile)('find', [dir, ...drop]).catch(() => undefined);
}
