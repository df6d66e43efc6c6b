import type { EntryFields } from './entry-fields.ts';

/** Both are rounded to a millisecond. */
const ROUNDING_MS = 1;

/**
 * Within a process time never runs backwards. An attempt that a crash cut short, and a correction, are posted by another process, whose
 * clock may have been set back since.
 */
export function timeProblems({ kind, status, effectiveAt, postedAt }: EntryFields): readonly string[] {
  const sameProcess = kind === 'attempt' && status !== 'interrupted';
  if (!sameProcess || postedAt + ROUNDING_MS >= effectiveAt) return [];
  return [`it was posted ${effectiveAt - postedAt} ms before its attempt began`];
}
