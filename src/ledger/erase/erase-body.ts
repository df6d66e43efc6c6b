import { eraseValues } from '../chain/erase-values.ts';
import { erasedPaths, readIdentity, type ErasureSubject } from './subject.ts';

/** Erases a subject from entries and intents; null from those that are not of it. Cheap for those: most of a journal is. */
export type BodyEraser = (body: Buffer) => Buffer | null;

export function bodyEraser(subject: ErasureSubject): BodyEraser {
  const written = writtenValue(subject);
  return (body) => {
    if (!body.includes(written)) return null;
    const paths = erasedPaths(subject, readIdentity(parseBody(body)));
    return paths.size === 0 ? null : eraseValues(body, paths);
  };
}

/** The value as it stands inside of JSON text. */
export function writtenValue({ value }: ErasureSubject): Buffer {
  return Buffer.from(JSON.stringify(value).slice(1, -1));
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // Whatever it is, it names nobody that a report could show.
    return null;
  }
}
