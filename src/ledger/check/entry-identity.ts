import type { EntryFields } from './entry-fields.ts';

const ID = /^(.+)\.(\d+)\.([a-z_]+)\.(\d+)$/;

const NO_PROBLEMS: readonly string[] = [];

/**
 * `<call>.<attempt>.attempt.0` for an attempt; `….correction.<n>` for its n-th correction, which names the attempt's entry;
 * `….adjustment.<n>` for money moved by hand, which may name one.
 */
export function identityProblems(entry: EntryFields, frame: { readonly attempt: string }): readonly string[] {
  const { entryId, callId, attempt, kind, corrects } = entry;
  const [, call, number, named, n] = ID.exec(entryId) ?? [];
  if (call !== callId || Number(number) !== attempt || named !== kind || attempt < 1)
    return [`it is called ${entryId}, and is ${kind} of attempt ${attempt} of ${callId}`];
  if (kind === 'attempt') {
    if (n !== '0') return [`the entry of an attempt is called ${entryId}`];
    if (corrects !== '') return [`an attempt that corrects ${corrects}`];
    return frame.attempt === `${callId}.${attempt}` ? NO_PROBLEMS : [`its frame is of ${frame.attempt}`];
  }
  const original = `${callId}.${attempt}.attempt.0`;
  if (kind !== 'correction' && kind !== 'adjustment') return [`"${kind}" is no kind of entry`];
  if (corrects !== original && !(kind === 'adjustment' && corrects === ''))
    return [`it is about ${corrects === '' ? 'nothing' : corrects}, not ${original}`];
  return frame.attempt === entryId ? NO_PROBLEMS : [`its frame is of ${frame.attempt}`];
}
