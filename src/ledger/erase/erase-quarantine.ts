import { existsSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ERASED } from '../chain/entry-digest.ts';
import { createDurably } from '../journal/disk.ts';
import { bodyEraser, writtenValue } from './erase-body.ts';
import { holder, type ErasureSubject } from './subject.ts';

const refused = z.looseObject({ reason: z.string(), entry: z.string() });

/**
 * Erases a subject from entries that the store refused. What cannot be read as an entry and holds the value loses its text: the journal has
 * it, erased as far as it is an entry. The number of files that changed.
 */
export function eraseQuarantine(storeDir: string, subject: ErasureSubject): number {
  let changed = 0;
  for (const dir of quarantinesIn(storeDir)) {
    for (const name of readdirSync(dir))
      if (name.endsWith('.json') && eraseFile(join(dir, name), subject)) changed += 1;
  }
  return changed;
}

/** That of the node, and those of adopted ones. */
function quarantinesIn(storeDir: string): string[] {
  const adopted = join(storeDir, 'adopted');
  const nodes = existsSync(adopted) ? readdirSync(adopted).map((node) => join(adopted, node)) : [];
  return [storeDir, ...nodes].map((dir) => join(dir, 'quarantine')).filter((dir) => existsSync(dir));
}

function eraseFile(path: string, subject: ErasureSubject): boolean {
  const file = refused.parse(JSON.parse(readFileSync(path, 'utf8')));
  const holds = holder(subject);
  const erased = bodyEraser(subject)(Buffer.from(file.entry))?.toString() ?? file.entry;
  const broken = erased === file.entry && !isJson(file.entry) && file.entry.includes(writtenValue(subject).toString());
  const entry = broken ? ERASED : erased;
  const reason = holds(file.reason) ? ERASED : file.reason;
  if (entry === file.entry && reason === file.reason) return false;
  createDurably(path, (fd) => writeSync(fd, `${JSON.stringify({ ...file, reason, entry })}\n`));
  return true;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
