import { ApportionError } from '#terms';

/** Acknowledged entries cannot be read back. Nothing may go on as if they were never written. */
export function damaged(path: string, what: string): ApportionError {
  return new ApportionError('journal_unavailable', `The journal is damaged at ${path}: ${what}.`, {
    hint: 'Keep the journal folder as it is and restore the file from a backup; nothing was changed.',
  });
}
