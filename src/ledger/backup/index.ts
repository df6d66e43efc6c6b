/**
 * Is: the care of a node's files beside the call path: sealed journal segments, backups, restores, journals of adopted nodes.
 * Owns: compression, retention, the format of a backup, `adopted/` of the data directory. Not: writing entries, recovery, what the store does with rows.
 * Holds: a file goes only when another holds what is in it; a backup is read whole before it has its name; no entry is shipped twice.
 * Fails: cut short anywhere, everything can be done again; `conflict` where something would be written over, `journal_unavailable` on damage.
 */
export { adoptNode, listAdopted, type AdoptedNode, type Adoption } from './adoption.ts';
export type { AdoptedShipping } from './adopted-shipping.ts';
export { backUp, type BackupRequest } from './backup.ts';
export { careForFiles, type FileCare } from './file-care.ts';
export type { BackupManifest } from './manifest.ts';
export { restoreBackup, type Restored } from './restore.ts';
export { retiredThrough } from '../journal/retired.ts';
