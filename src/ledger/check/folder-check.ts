import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TimestampMs } from '#std';
import { LIMITS } from '#terms';
import type { Findings } from './finding.ts';

export type FolderFigures = {
  readonly freeBytes: number;
  /** When the journal was synced last; null when it never was. */
  readonly syncedAt: TimestampMs | null;
};

/** Room for this many more files of the journal, before somebody should know. */
const SPARE_SEGMENTS = 4;

const FOLDERS = ['.', 'journal', 'store', 'chain', 'adopted'];

/** Files that hold who called what, or what identifies them. What the engine makes lies in a folder that is closed. */
const PRIVATE = /^(?:secret\.key|node\.json|control\.db.*|control-snapshot\.json|erasures\.jsonl)$/;

const OTHERS = 0o077;

export function checkFolder(dir: string, findings: Findings): FolderFigures {
  for (const folder of FOLDERS) checkRights(dir, folder, findings);
  for (const name of readdirSync(dir)) if (PRIVATE.test(name)) checkRights(dir, name, findings);
  for (const name of namesIn(join(dir, 'journal'))) checkRights(dir, `journal/${name}`, findings);
  for (const name of namesIn(join(dir, 'store', 'quarantine'))) checkRights(dir, `store/quarantine/${name}`, findings);
  const { bavail, bsize } = statfsSync(dir);
  const freeBytes = bavail * bsize;
  if (freeBytes < SPARE_SEGMENTS * LIMITS.journalSegmentBytes)
    findings.notice('folder.space', `${Math.floor(freeBytes / 1024 / 1024)} MB are left`, { file: '.' });
  return { freeBytes, syncedAt: modifiedAt(join(dir, 'journal', 'synced.mark')) };
}

function checkRights(dir: string, name: string, findings: Findings): void {
  // Windows has no such rights.
  if (process.platform === 'win32') return;
  const mode = statIfThere(join(dir, name))?.mode;
  if (mode === undefined || (mode & OTHERS) === 0) return;
  findings.fault('folder.rights', `its rights are ${(mode & 0o777).toString(8)}`, { file: name });
}

function modifiedAt(path: string): TimestampMs | null {
  const modified = statIfThere(path)?.mtimeMs;
  return modified === undefined ? null : (Math.floor(modified) as TimestampMs);
}

/** Files come and go while a server runs. */
function statIfThere(path: string): { readonly mode: number; readonly mtimeMs: number } | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function namesIn(folder: string): readonly string[] {
  return statIfThere(folder) === undefined ? [] : readdirSync(folder);
}
