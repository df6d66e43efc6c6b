import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readSnapshot } from '#accounts';
import type { Findings } from './finding.ts';

export type ControlFigures = { readonly revision: number | null; readonly snapshotRevision: number | null };

const DATABASE = { file: 'control.db' };
const SNAPSHOT = { file: 'control-snapshot.json' };

/** Reads `control.db` through, and compares the snapshot gateways start with. Writes nothing. */
export async function checkControl(dir: string, findings: Findings): Promise<ControlFigures> {
  const revision = readRevision(join(dir, DATABASE.file), findings);
  let snapshotRevision: number | null = null;
  try {
    snapshotRevision = (await readSnapshot(join(dir, SNAPSHOT.file)))?.revision ?? null;
  } catch (error) {
    findings.fault('control.database', error instanceof Error ? error.message : String(error), SNAPSHOT);
  }
  if (revision !== null && snapshotRevision !== null && snapshotRevision > revision)
    findings.fault(
      'control.database',
      `its revision ${snapshotRevision} is ahead of control.db’s ${revision}`,
      SNAPSHOT,
    );
  return { revision, snapshotRevision };
}

function readRevision(path: string, findings: Findings): number | null {
  if (!existsSync(path)) {
    findings.notice('control.database', 'there is none yet: the first start makes it', DATABASE);
    return null;
  }
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    for (const row of database.prepare('PRAGMA quick_check').all()) {
      const verdict = String(row['quick_check']);
      if (verdict !== 'ok') findings.fault('control.database', verdict, DATABASE);
    }
    const row = database.prepare('SELECT value FROM control_revision').get();
    return row === undefined ? null : Number(row['value']);
  } catch (error) {
    findings.fault('control.database', error instanceof Error ? error.message : String(error), DATABASE);
    return null;
  } finally {
    database?.close();
  }
}
