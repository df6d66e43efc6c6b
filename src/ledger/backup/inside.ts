import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Whether `path`, there or not, is `dir` or lies in it, by whatever names and links it is called. */
export function isInside(dir: string, path: string): boolean {
  const way = relative(real(dir), real(path));
  return !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

function real(path: string): string {
  const whole = resolve(path);
  return existsSync(whole) ? realpathSync(whole) : join(real(dirname(whole)), basename(whole));
}
