import { CallBuckets } from './call-buckets.ts';
import { callProblems, toCallEntry } from './call-entries.ts';
import type { CallsElsewhere } from './calls-elsewhere.ts';
import { readFields, type EntryFields } from './entry-fields.ts';
import { checkEntry } from './entry-rules.ts';
import type { Findings } from './finding.ts';
import { JournalWalk, type JournalFigures, type JournalWalkDeps, type PlacedEntry } from './journal-walk.ts';
import type { LedgerTotals } from './ledger-totals.ts';

export type JournalCheckDeps = JournalWalkDeps & {
  /** What the store and the reports are compared with afterwards. */
  readonly totals: LedgerTotals;
  /** Takes calls whose attempts are in another journal; where there is none, they are missed here. */
  readonly elsewhere: CallsElsewhere | null;
};

export type JournalChecked = JournalFigures & {
  readonly calls: number;
  /** Calls whose attempts a crash cut in two, so that none of them counts the call. */
  readonly uncounted: number;
  readonly corrections: number;
  readonly adjustments: number;
  /** Bytes that went through the temporary folder. */
  readonly spilt: number;
};

/** Reads the journal once, from its first byte to its last, and holds each entry, and all of them together, to the rules. */
export function checkJournal(deps: JournalCheckDeps): JournalChecked {
  const { findings } = deps;
  const walk = new JournalWalk(deps);
  const buckets = new CallBuckets();
  try {
    let [corrections, adjustments] = [0, 0];
    for (const placed of walk.entries()) {
      const entry = readEntry(placed, findings);
      if (entry === null) continue;
      if (entry.kind === 'correction') corrections += 1;
      if (entry.kind === 'adjustment') adjustments += 1;
      deps.totals.add(placed.seq, entry);
      buckets.add(entry.callId, toCallEntry(placed.seq, entry));
    }
    const figures = walk.figures();
    return { ...figures, corrections, adjustments, ...checkCalls(buckets, { ...deps, from: figures.firstSeq ?? 1 }) };
  } finally {
    buckets.close();
  }
}

function readEntry({ seq, attempt, body, place }: PlacedEntry, findings: Findings): EntryFields | null {
  const entry = readFields(body);
  if ('problem' in entry) {
    findings.fault('entry.fields', entry.problem, { ...place, seq });
    return null;
  }
  checkEntry(entry, { attempt, place }, findings);
  return entry;
}

function checkCalls(
  buckets: CallBuckets,
  { findings, elsewhere, from }: Pick<JournalCheckDeps, 'findings' | 'elsewhere'> & { readonly from: number },
): Pick<JournalChecked, 'calls' | 'uncounted' | 'spilt'> {
  let calls = 0;
  let uncounted = 0;
  for (const entries of buckets.calls()) {
    const attempts = entries.filter(({ kind }) => kind === 'attempt');
    if (attempts.length > 0) calls += 1;
    if (attempts.length > 0 && attempts.every(({ countsCall }) => countsCall === 0)) uncounted += 1;
    if (elsewhere !== null && attempts.length === 0) {
      elsewhere.add(entries);
      continue;
    }
    for (const { rule, what, of } of callProblems(entries, from))
      findings.fault(rule, what, { seq: of.seq, entryId: of.entryId });
  }
  return { calls, uncounted, spilt: buckets.spilt };
}
