import { readdirSync } from 'node:fs';
import type { Findings } from './finding.ts';

const SEGMENT = /^(\d{10})\.log(?:\.zst)?$/;
const TORN = /^torn-\d+\.bin$/;
const OTHERS: ReadonlySet<string> = new Set(['synced.mark', 'retired.jsonl', 'counters.json']);

/** What lies in the folder of the journal. */
export type JournalFolder = {
  /** Numbers of the segments, ascending; some may be missing. */
  readonly segments: readonly number[];
  readonly torn: readonly string[];
};

type ListDeps = {
  readonly findings: Findings;
  readonly retired: number;
  readonly writer: 'running' | 'stopped';
};

/**
 * Reads the folder's names, and says which segments are missing and what does not belong there.
 * @param retired the newest segment that went because its retention was over; 0 for none
 */
export function listJournal(dir: string, { findings, retired, writer }: ListDeps): JournalFolder {
  const names = readdirSync(dir).toSorted();
  // A crash may leave a file both plain and compressed; the plain one is read, and goes at the next start.
  const segments = [...new Set(names.flatMap((name) => SEGMENT.exec(name)?.slice(1).map(Number) ?? []))].filter(
    (segment) => segment > retired,
  );
  const torn = names.filter((name) => TORN.test(name));
  for (const name of names) {
    if (SEGMENT.test(name) || TORN.test(name) || OTHERS.has(name)) continue;
    // A running server makes the next file ahead of time.
    if (writer === 'running' && name.endsWith('.tmp')) continue;
    const what = name.endsWith('.tmp')
      ? 'a file that was being made when the server ended; the next start removes it'
      : 'a file that Apportion does not know';
    findings.notice('journal.files', what, { file: `journal/${name}` });
  }
  for (const name of torn)
    findings.notice('journal.files', 'bytes of a write that a crash cut short; never acknowledged, kept to look at', {
      file: `journal/${name}`,
    });
  for (const missing of missingFrom(segments, retired))
    findings.fault('journal.files', 'the file is missing', { file: segmentFile(missing) });
  return { segments, torn };
}

/** Files that went because their retention was over are not missed; any other number is, up to the newest. */
function missingFrom(segments: readonly number[], retired: number): readonly number[] {
  const there = new Set(segments);
  const newest = segments.at(-1) ?? retired;
  return Array.from({ length: newest - retired }, (_, at) => retired + 1 + at).filter((segment) => !there.has(segment));
}

/** As findings name it; on disk it may have `.zst` behind it. */
export function segmentFile(segment: number): string {
  return `journal/${String(segment).padStart(10, '0')}.log`;
}
