import { readdirSync } from 'node:fs';
import type { Findings } from './finding.ts';

const SEGMENT = /^(\d{10})\.log$/;
const TORN = /^torn-\d+\.bin$/;
const MARK = 'synced.mark';

/** What lies in the folder of the journal. */
export type JournalFolder = {
  /** Numbers of the segments, ascending; some may be missing. */
  readonly segments: readonly number[];
  readonly torn: readonly string[];
};

/** Reads the folder's names, and says which segments are missing and what does not belong there. */
export function listJournal(dir: string, findings: Findings): JournalFolder {
  const names = readdirSync(dir).toSorted();
  const segments = names.flatMap((name) => SEGMENT.exec(name)?.slice(1).map(Number) ?? []);
  const torn = names.filter((name) => TORN.test(name));
  for (const name of names) {
    if (SEGMENT.test(name) || TORN.test(name) || name === MARK) continue;
    const what = name.endsWith('.tmp')
      ? 'a file that was being made when the server ended; the next start removes it'
      : 'a file that Apportion does not know';
    findings.notice('journal.files', what, { file: `journal/${name}` });
  }
  for (const name of torn)
    findings.notice('journal.files', 'bytes of a write that a crash cut short; never acknowledged, kept to look at', {
      file: `journal/${name}`,
    });
  reportMissing(segments, findings);
  return { segments, torn };
}

function reportMissing(segments: readonly number[], findings: Findings): void {
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1];
    for (let missing = (before ?? segment) + 1; missing < segment; missing += 1)
      findings.fault('journal.files', 'the file is missing', { file: segmentFile(missing) });
  }
  const [oldest] = segments;
  if (oldest !== undefined && oldest > 1) {
    const what = `files 1 to ${oldest - 1} are gone: what follows is about the entries from here on`;
    findings.notice('journal.files', what, { file: segmentFile(oldest) });
  }
}

export function segmentFile(segment: number): string {
  return `journal/${String(segment).padStart(10, '0')}.log`;
}
