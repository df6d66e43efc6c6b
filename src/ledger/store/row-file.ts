import { unlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { rowBytes } from './insert.ts';

/**
 * Where rows lie while the engine in this process reads them. Behind an INSERT, in the same text, they would be taken apart as SQL before they
 * are read as JSON: 8 µs of processor time for an entry of 1.6 KB, where reading it takes 10.
 */
export type RowFile = {
  /** What the engine finds it by; good inside this process. */
  readonly path: string;
  fill(rows: readonly Buffer[]): Promise<void>;
  /** Not before the engine is done with it. */
  empty(): Promise<void>;
  close(): Promise<void>;
};

let opened = 0;

/** Without a name, so that nothing of an entry stays behind when the process is killed, or gets into a backup. */
export async function openRowFile(dir: string): Promise<RowFile> {
  opened += 1;
  const name = join(dir, `rows-${process.pid}-${opened}`);
  const file = await open(name, 'w+', 0o600);
  unlinkSync(name);
  return {
    path: `/dev/fd/${file.fd}`,
    fill: (rows) => writeWhole(file, rowBytes(rows)),
    empty: () => file.truncate(0),
    close: () => file.close(),
  };
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, at);
    at += bytesWritten;
  }
}
