const NOT_YOURS = 'Run it as the user that the files belong to, or give that user rights on them.';
const NOT_A_FOLDER = 'A part of the path is a file: name a folder, or a place in one.';

const WHAT_TO_DO: ReadonlyMap<unknown, string> = new Map([
  ['EACCES', NOT_YOURS],
  ['EPERM', NOT_YOURS],
  ['EROFS', 'The file system is mounted read-only: name a place on another one, or mount it writable.'],
  ['ENOSPC', 'The disk is full: make room, then do it again.'],
  ['EDQUOT', 'The quota of the disk is used up: make room, then do it again.'],
  ['ENOTDIR', NOT_A_FOLDER],
  ['EEXIST', NOT_A_FOLDER],
  ['EISDIR', 'It is a folder: name a file.'],
  ['ENOENT', 'Check the path.'],
]);

/** What the operating system refused, and what to do about it; null for any other error. */
export function describeSystemError(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const whatToDo = WHAT_TO_DO.get(error.code);
  return whatToDo === undefined ? null : `${error.message}. ${whatToDo}`;
}
