import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkControl,
  checkFolder,
  checkJournal,
  checkOpenAttempts,
  checkShipping,
  Findings,
  LedgerTotals,
  readNodeId,
  readShipping,
  type Finding,
  type JournalChecked,
  type ShippingState,
} from '#ledger/check';
import { systemClock, type Clock } from '#std';
import { ApportionError } from '#terms';
import { askReports, type Asked } from './ask-reports.ts';
import { checkParts, checkTotal } from './report-check.ts';
import { serverState, type ServerState } from '../server-state.ts';
import { openStoreToCheck, type StoreToCheck } from './store-check.ts';

export type ExamineOptions = {
  /** `rows`: every row of the store with its entry, field by field. `sums`: sums by day, and rows only of days that differ. */
  readonly compare: 'sums' | 'rows';
  readonly adminKey: string | null;
  /** No call takes longer. */
  readonly totalMs: number;
  readonly clock: Clock;
};

/** What was looked at, in figures. */
export type Checked = { readonly what: string; readonly figures: Readonly<Record<string, string | number | null>> };

export type Examination = {
  readonly dir: string;
  readonly server: string;
  readonly findings: readonly Finding[];
  readonly checked: readonly Checked[];
  /** What could not be found out, and why. */
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  readonly seconds: number;
};

const CALL_MS = 3_600_000;

/** Everything that is wrong with a data directory; nothing where nothing is. Rejects when it could not all be looked at. */
export async function checkDataDir(dir: string, options: Partial<ExamineOptions> = {}): Promise<readonly Finding[]> {
  const { findings, skipped } = await examine(dir, {
    compare: 'sums',
    adminKey: null,
    totalMs: CALL_MS,
    clock: systemClock,
    ...options,
  });
  const [first] = skipped;
  if (first !== undefined)
    throw new ApportionError('ledger_unavailable', `${first.what} cannot be checked: ${first.why}`);
  return findings;
}

/** Looks at a data directory from top to bottom. Throws `not_found` when it is none. */
export async function examine(dir: string, options: ExamineOptions): Promise<Examination> {
  if (!existsSync(join(dir, 'journal')))
    throw new ApportionError('not_found', `${dir} is no data directory: it has no folder journal.`, {
      hint: 'Name it with --data-dir, or set APPORTION_DATA_DIR.',
    });
  const begun = options.clock.elapsedMs();
  const server = await serverState(dir);
  try {
    const { findings, ...rest } = await lookAt({ dir, server, options, findings: new Findings() });
    return {
      dir,
      server: server.is === 'stopped' ? 'stopped' : server.says,
      findings: findings.list(),
      ...rest,
      seconds: Math.round(options.clock.elapsedMs() - begun) / 1000,
    };
  } finally {
    if (server.is === 'stopped') server.release();
  }
}

type Patient = {
  readonly dir: string;
  readonly server: ServerState;
  readonly options: ExamineOptions;
  readonly findings: Findings;
};

type Looked = Pick<Examination, 'checked' | 'skipped'> & { readonly findings: Findings };

async function lookAt(patient: Patient): Promise<Looked> {
  const { dir, server, findings } = patient;
  const skipped: { what: string; why: string }[] = [];
  const nodeId = readNodeId(dir, findings);
  const shipping = await readShipping(join(dir, 'store'));
  const store = server.is === 'stopped' ? await openStoreToCheck(dir, { findings, shipping, nodeId }) : null;
  try {
    // Asked before the journal is read: what a report saw is then in the part that is read, however many calls are made meanwhile.
    const asked = await askReports({ ...patient, store, skipped });
    const aside = new Set(shipping.aside);
    const through = shipping.shipping?.through ?? 0;
    const totals = new LedgerTotals({ cuts: [through, ...asked.reports.map(({ seq }) => seq)], aside });
    const journal = checkJournal({ dir: join(dir, 'journal'), nodeId, findings, writer: server.is, totals });
    checkAttempts(patient, journal);
    checkShipping(shipping, { nodeId, lastSeq: journal.lastSeq }, findings);
    const stored = await compareStore(patient, { store, journal, totals, shipping, skipped });
    compareReports(asked, { journal, totals, findings });
    const control = await checkControl(dir, findings);
    const folder = checkFolder(dir, findings);
    return {
      findings,
      skipped,
      checked: [
        ...journalFigures(journal, folder.syncedAt),
        { what: 'store', figures: { shipped: through, aside: aside.size, ...stored } },
        { what: 'reports', figures: { breakdowns: asked.reports.length } },
        { what: 'control', figures: { revision: control.revision, snapshot: control.snapshotRevision } },
        { what: 'folder', figures: { free_bytes: folder.freeBytes } },
      ],
    };
  } finally {
    store?.close();
  }
}

function checkAttempts({ server, options, findings }: Patient, { open }: JournalChecked): void {
  checkOpenAttempts({ open, writer: server.is, now: options.clock.now(), totalMs: options.totalMs }, findings);
}

type Compared = {
  readonly store: StoreToCheck | null;
  readonly journal: JournalChecked;
  readonly totals: LedgerTotals;
  readonly shipping: ShippingState;
  readonly skipped: { what: string; why: string }[];
};

async function compareStore(
  { dir, server, options }: Patient,
  { store, journal, totals, shipping, skipped }: Compared,
): Promise<Readonly<Record<string, number>>> {
  if (store === null) {
    if (server.is === 'running' && options.compare === 'rows')
      skipped.push({
        what: 'the rows of the store',
        why: 'the running server has the store open. Stop it to compare them.',
      });
    return {};
  }
  return store.compare({
    journalDir: join(dir, 'journal'),
    range: { first: journal.firstSeq ?? 1, last: shipping.shipping?.through ?? 0 },
    retiredSeq: journal.retiredSeq,
    totals,
    rows: options.compare === 'rows' ? 'all' : 'of days that differ',
  });
}

function compareReports(
  { reports }: Asked,
  {
    journal,
    totals,
    findings,
  }: { readonly journal: JournalChecked; readonly totals: LedgerTotals; findings: Findings },
): void {
  for (const report of reports) {
    checkParts(report, findings);
    // Of entries whose file is gone reports still know, and the journal does not.
    if (journal.firstSeq === 1 || report.seq === 0) checkTotal(report, totals.upTo(report.seq), findings);
  }
}

function journalFigures(journal: JournalChecked, syncedAt: number | null): readonly Checked[] {
  const { files, bytes, frames, entries, retiredSeq, firstSeq, lastSeq, synced, open, ...checked } = journal;
  const { calls, corrections, adjustments, uncounted, spilt } = checked;
  const range = { entries, retired: retiredSeq, first: firstSeq, last: lastSeq };
  const sync = {
    synced: synced?.seq ?? null,
    synced_at: syncedAt === null ? null : new Date(syncedAt).toISOString(),
    open_attempts: open.size,
  };
  return [
    { what: 'journal', figures: { files, bytes, frames, ...range, ...sync } },
    { what: 'entries', figures: { calls, corrections, adjustments, calls_cut_in_two: uncounted, spilt_bytes: spilt } },
  ];
}
