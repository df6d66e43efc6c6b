import { closeSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Random } from '#world';

/** Something that befalls the files of a store. */
export type Damage = (storeDir: string, random: Random) => void;

/** What a process finds when it starts. */
export const DAMAGES_AT_START: Readonly<Record<string, Damage>> = {
  'random bytes over its parts': (dir, random) => {
    for (const file of filesOf(dir)) if (isOfPart(file)) scribble(file, random);
  },
  'random bytes over all its files': (dir, random) => {
    for (const file of filesOf(dir)) if (!basename(file).startsWith('lock.')) scribble(file, random);
  },
  'its directory deleted': (dir) => rmSync(dir, { recursive: true }),
};

/** What happens under a process that has it open. */
export const DAMAGES_WHILE_OPEN: Readonly<Record<string, Damage>> = {
  'random bytes over the values of its parts': (dir, random) => {
    for (const file of filesOf(dir)) if (basename(file) === 'data.bin') scribble(file, random);
  },
  'parts that lost a file': (dir) => {
    for (const file of filesOf(dir)) if (basename(file) === 'data.bin') rmSync(file, { force: true });
  },
  'its engine deleted': (dir) => rmSync(join(dir, 'chdb'), { recursive: true }),
};

/** One byte of so many changes, so that whatever is read is damaged. */
const ONE_IN_BYTES = 64;

function isOfPart(file: string): boolean {
  return /\.(?:bin|c?mrk\d?|c?idx\d?)$/.test(file);
}

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
}

function scribble(file: string, random: Random): void {
  const { size } = statSync(file);
  if (size === 0) return;
  const fd = openSync(file, 'r+');
  for (let n = 0; n < size; n += ONE_IN_BYTES) {
    writeSync(fd, Buffer.from([random.between(0, 255)]), 0, 1, random.between(0, size - 1));
  }
  closeSync(fd);
}
