import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  CallsElsewhere,
  checkControl,
  checkCounters,
  checkFolder,
  checkOpenAttempts,
  Findings,
  sumOfNodes,
  type Finding,
  type StoreSession,
} from '#ledger/check';
import type { ClickHouseConfig } from '#config';
import { systemClock, type Clock } from '#std';
import { ApportionError } from '#terms';
import { askReports } from './ask-reports.ts';
import { checkChain } from './chain-check.ts';
import { isSettled, listNodes, readNode, throughOf, type LedgerNode, type ReadNode } from './ledger-nodes.ts';
import { checkParts, checkTotal } from './report-check.ts';
import type { ReportFigures } from './report-figures.ts';
import { serverState, type ServerState } from '../server-state.ts';
import { compareNode, openStoreToCheck } from './store-check.ts';

export type ExamineOptions = {
  /**
   * `sums`: the store with the journal by day, and rows only of days that differ. `rows`: every row with its entry, field by field, and every
   * entry with its digest in the chain.
   */
  readonly compare: 'sums' | 'rows';
  readonly adminKey: string | null;
  /** No call takes longer. */
  readonly totalMs: number;
  readonly clock: Clock;
  /** The server that has the store; null: it is in the directory. */
  readonly clickHouse: ClickHouseConfig | null;
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
    clickHouse: null,
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

type Skipped = { what: string; why: string }[];

type Patient = {
  readonly dir: string;
  readonly server: ServerState;
  readonly options: ExamineOptions;
  readonly findings: Findings;
};

type Looked = Pick<Examination, 'checked' | 'skipped'> & { readonly findings: Findings };

async function lookAt(patient: Patient): Promise<Looked> {
  const { dir, server, findings } = patient;
  const skipped: Skipped = [];
  const [own, ...adopted] = await listNodes({ dir, server: server.is, findings });
  const shipped = own.shipping.shipping !== null;
  const { clickHouse } = patient.options;
  const storeDir = join(dir, 'store');
  const store =
    server.is === 'stopped' ? await openStoreToCheck({ storeDir, clickHouse, findings, shipped, skipped }) : null;
  try {
    // Asked before the journals are read: what a report saw is then in what is read, however many calls are made meanwhile.
    const reports = await askReports({ ...patient, own, store, skipped });
    const cuts = reports.map(({ seq }) => seq);
    const read = readNodes([own, ...adopted], cuts, findings);
    checkAttempts(patient, read[0]);
    const stored = await compareStore(patient, { store, nodes: read, skipped });
    compareReports(patient, { reports, nodes: read, skipped });
    const budgets = await checkCounters(dir, patient.options.clock.now(), findings);
    // What differs may differ because the journal was changed: then it is not the other one that has to be made again.
    const chained =
      patient.options.compare === 'rows' || findings.doubtTheJournal
        ? read.map((node) => checkChain(node, node.findings))
        : [];
    const control = await checkControl(dir, findings);
    const folder = checkFolder(dir, findings);
    return {
      findings,
      skipped,
      checked: [
        ...read.flatMap((node, at) =>
          nodeFigures(node, { stored: stored[at] ?? {}, syncedAt: at === 0 ? folder.syncedAt : null }),
        ),
        ...chained.map((figures) => ({ what: 'chain', figures })),
        { what: 'reports', figures: { breakdowns: reports.length } },
        { what: 'budgets', figures: budgets },
        { what: 'control', figures: { revision: control.revision, snapshot: control.snapshotRevision } },
        { what: 'folder', figures: { free_bytes: folder.freeBytes } },
      ],
    };
  } finally {
    await store?.close();
  }
}

/** Each journal by itself, and then what one of them says of calls that are in another. */
function readNodes(
  [own, ...adopted]: readonly [LedgerNode, ...LedgerNode[]],
  cuts: readonly number[],
  findings: Findings,
): Nodes {
  const elsewhere = adopted.length === 0 ? null : new CallsElsewhere();
  const deps = { findings, elsewhere };
  const nodes: Nodes = [readNode(own, cuts, deps), ...adopted.map((node) => readNode(node, [], deps))];
  const journals = nodes.map(({ journalDir: dir, nodeId, writer }) => ({ dir, nodeId, writer }));
  elsewhere?.check(journals, findings, Math.max(...nodes.map(({ journal }) => journal.firstSeq ?? 1)));
  return nodes;
}

function checkAttempts({ server, options, findings }: Patient, { journal }: ReadNode): void {
  const { totalMs, clock } = options;
  checkOpenAttempts({ open: journal.open, writer: server.is, now: clock.now(), totalMs }, findings);
}

type Nodes = readonly [ReadNode, ...ReadNode[]];

async function compareStore(
  { server, options, findings }: Patient,
  { store, nodes, skipped }: { readonly store: StoreSession | null; readonly nodes: Nodes; readonly skipped: Skipped },
): Promise<readonly Readonly<Record<string, number>>[]> {
  if (store === null) {
    const why = 'the running server has the store open. Stop it to compare them.';
    if (server.is === 'running' && options.compare === 'rows') skipped.push({ what: 'the rows of the store', why });
    return [];
  }
  const figures: Readonly<Record<string, number>>[] = [];
  const rows = options.compare === 'rows' ? 'all' : 'of days that differ';
  for (const node of nodes) figures.push(await compareNode({ store, rows, findings }, node));
  return figures;
}

type Reported = { readonly reports: readonly ReportFigures[]; readonly nodes: Nodes; readonly skipped: Skipped };

/** A report is about every node in the store: its own as far as it says, and all that is there of the others. */
function compareReports({ findings, options }: Patient, { reports, nodes, skipped }: Reported): void {
  for (const report of reports) checkParts(report, findings);
  // Reports are about every node of the server, whose journals are elsewhere.
  if (options.clickHouse !== null) return;
  // Of entries whose file is gone reports still know, and the journal does not.
  if (nodes.some(({ journal }) => journal.firstSeq !== null && journal.firstSeq > 1)) return;
  const [own, ...adopted] = nodes;
  const unsettled = adopted.find((node) => !isSettled(node));
  if (unsettled !== undefined && reports.length > 0) {
    skipped.push({
      what: 'the totals of reports',
      why: `entries of ${unsettled.nodeId} are being shipped. Ask again later.`,
    });
    return;
  }
  for (const report of reports) {
    const owed = [own.totals.upTo(report.seq), ...adopted.map((node) => node.totals.upTo(throughOf(node)))];
    checkTotal(report, sumOfNodes(owed), findings);
  }
}

function nodeFigures(
  node: ReadNode,
  { stored, syncedAt }: { readonly stored: Readonly<Record<string, number>>; readonly syncedAt: number | null },
): readonly Checked[] {
  const { files, bytes, frames, entries, retiredSeq, firstSeq, lastSeq, synced, open, ...checked } = node.journal;
  const { calls, corrections, adjustments, uncounted, spilt } = checked;
  const range = { entries, retired: retiredSeq, first: firstSeq, last: lastSeq };
  const sync = {
    synced: synced?.seq ?? null,
    synced_at: syncedAt === null ? null : new Date(syncedAt).toISOString(),
    open_attempts: open.size,
  };
  const shipped = { shipped: throughOf(node), aside: node.shipping.aside.length, ...stored };
  return [
    { what: 'journal', figures: { node: node.nodeId, files, bytes, frames, ...range, ...sync } },
    { what: 'entries', figures: { calls, corrections, adjustments, calls_cut_in_two: uncounted, spilt_bytes: spilt } },
    { what: 'store', figures: shipped },
  ];
}
