import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAccounts, writeSnapshot, type Accounts } from '#accounts';
import type { Alerts } from '#alerts';
import { createAdmin, followPrices, type AdminDeps } from '#admin';
import { openBatchFolder } from '#batches';
import { loadConfig, type Config } from '#config';
import {
  createAdjustments,
  createRepricing,
  createResolutions,
  createTurns,
  releaseBatches,
  type InTurn,
  type JobDeps,
} from '#jobs';
import { acquireLock, type Lock } from '#ledger';
import type { StoreReader } from '#analytics';
import { openPassingReader } from '#ledger/read';
import {
  boundariesIn,
  createShipper,
  detailKeptFrom,
  openStore,
  quarantineIn,
  type Shipper,
  type Store,
} from '#ledger/store';
import { createLog, type Log } from '#observe';
import { loadPriceBook, type Prices } from '#pricing';
import {
  Acknowledgements,
  BudgetFigures,
  connectToParent,
  Corrections,
  Questions,
  Rotations,
  type Parent,
  type RouteStanding,
} from '#processes';
import { findProvider } from '#providers';
import { systemClock } from '#std';
import { compileTagRules } from '#tags';
import { ApportionError } from '#terms';
import { createEstimator, NO_QUIRKS, USAGE_READERS, type Quirks } from '#wires';
import { startAlerts } from './main-ledger-alerts.ts';
import { openLedgerFiles, type LedgerFiles } from './main-ledger-files.ts';

const DASHBOARD = fileURLToPath(new URL('../dashboard/dist', import.meta.url));

/** An orphan of a killed server lets go of the store as soon as it sees that its parent is gone. */
const ORPHAN_WAIT_MS = 10_000;
const LEDGER_NICENESS = 10;
/** Longer than any healthy gateway takes to apply a change; a hung one must not hang the administration too. */
const APPLY_TIMEOUT_MS = 2_000;

/** The ledger process: owns the store and the control plane, ships the journal, answers everything that is not a call. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLog({ level: config.logLevel, part: 'ledger' });
  // Calls come first: under full load reports fall behind and catch up, instead of taking the processor from calls.
  setPriority(LEDGER_NICENESS);
  let shipper: Shipper | null = null;
  let files: LedgerFiles | null = null;
  let durableSeq = 0;
  const gateway = connect((seq) => {
    durableSeq = Math.max(durableSeq, seq);
    shipper?.wake(seq);
    files?.chain.wake(seq);
  });
  const { parent, rotations, figures, stopped } = gateway;
  const { nodeId, epoch, socketPath } = await parent.start;
  const storeDir = join(config.dataDir, 'store');
  const lock = await holdStore(storeDir, socketPath);
  const accounts = await openControl({ ...gateway, config, log });
  const store = await openStoreOf(config, storeDir, log);
  const following = await followJournal({ nodeId, config, store, storeDir, log });
  shipper = following;
  following.wake(durableSeq);
  const inTurn = createTurns();
  const reports: StoreReader = {
    ...readingOf(config, store),
    asOf: () => ({ ...following.asOf(), alone: store.isAlone(nodeId) }),
  };
  const jobs = await openJobs({ ...gateway, config, log, accounts, reports, shipper: following, inTurn });
  const watched = { config, log, accounts, reports, nodeId, shipper: following };
  const alerts = await startAlerts({ ...watched, standings: jobs.parts.standings });
  const opened = openLedgerFiles({
    config,
    nodeId,
    epoch,
    store,
    storeDir,
    accounts,
    alerts,
    rotations,
    inTurn,
    log,
    shipped: () => following.state().through,
    untilStored: () => untilShipped(following),
  });
  files = opened;
  opened.chain.wake(durableSeq);
  figures.onCrossed((crossings) => tellCrossed({ alerts, log }, crossings));
  const shown = { accounts, alerts, log, store: reports, ledger: opened, clock: systemClock };
  const admin = await createAdmin({ ...shown, ...jobs.parts, oidc: config.oidc, dashboardDir: DASHBOARD });
  await admin.listen({ path: socketPath });
  parent.tell({ type: 'serving' });
  log.info({ node_id: nodeId }, 'analytics and administration are served');
  const lag = reportLag(parent, following);
  await stopped;
  clearInterval(lag);
  for (const part of [admin, alerts, jobs]) await part.close();
  await shipUntil(following, config.timeouts.shutdownMs);
  // What reads the store ends before it, and the lock goes last.
  for (const part of [opened, following, store, accounts]) await part.close();
  lock.release();
}

/** Resolves when no other ledger process is alive; the socket that a killed one left behind is gone then. */
async function holdStore(storeDir: string, socketPath: string): Promise<Lock> {
  mkdirSync(storeDir, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(join(storeDir, 'lock.db'), { role: 'ledger', waitMs: ORPHAN_WAIT_MS });
  rmSync(socketPath, { force: true });
  return lock;
}

/** On a server, or in the data directory. */
function openStoreOf({ clickHouse }: Config, storeDir: string, log: Log): Promise<Store> {
  return openStore(clickHouse ?? { path: storeDir }, { log, clock: systemClock, onDamage: () => process.exit(1) });
}

function readingOf({ store: { retentionDays: days } }: Config, store: Store): Omit<StoreReader, 'asOf'> {
  return {
    query: store.query,
    sums: store.sums,
    cells: store.cells,
    wide: store.wide,
    detailKept: () => (days === null ? null : { days, from: detailKeptFrom(days, systemClock.now()) }),
  };
}

type Gateway = {
  readonly parent: Parent;
  readonly acknowledgements: Acknowledgements;
  readonly corrections: Corrections;
  readonly rotations: Rotations;
  readonly figures: BudgetFigures;
  readonly routes: Questions<readonly RouteStanding[]>;
  /** Resolves when it is asked to stop. */
  readonly stopped: Promise<void>;
};

function connect(durable: (seq: number) => void): Gateway {
  const acknowledgements = new Acknowledgements();
  const stopped = Promise.withResolvers<void>();
  const parent = connectToParent({
    durable,
    applied: (revision) => acknowledgements.applied(revision),
    corrected: (answer) => {
      durable(answer.seq);
      corrections.corrected(answer);
    },
    rotated: (answer) => {
      durable(answer.seq);
      rotations.rotated(answer);
    },
    crossed: (crossings) => figures.crossed(crossings),
    standings: (answer) => figures.answered(answer),
    routes: ({ id, routes: standing }) => routes.answered(id, standing),
    stop: () => stopped.resolve(),
  });
  const corrections = new Corrections(parent.tell);
  const rotations = new Rotations(parent.tell);
  const figures = new BudgetFigures(parent.tell);
  const routes = new Questions<readonly RouteStanding[]>((id) => parent.tell({ type: 'routes', id }));
  return { parent, acknowledgements, corrections, rotations, figures, routes, stopped: stopped.promise };
}

type ShippingParts = {
  readonly nodeId: string;
  readonly config: Config;
  readonly store: Store;
  readonly storeDir: string;
  readonly log: Log;
};

/** The first report says what the store has; one that is long in coming to terms with the journal does not keep administration away. */
const COMPARE_TIMEOUT_MS = 10_000;

async function followJournal({ nodeId, config, store, storeDir, log }: ShippingParts): Promise<Shipper> {
  const shipper = createShipper({
    nodeId,
    reader: openPassingReader(join(config.dataDir, 'journal')),
    store,
    boundaries: boundariesIn(storeDir),
    quarantine: quarantineIn(storeDir),
    clock: systemClock,
    log,
  });
  await within(shipper.resumed, COMPARE_TIMEOUT_MS);
  return shipper;
}

type ControlParts = {
  readonly config: Config;
  readonly log: Log;
  readonly parent: Parent;
  readonly acknowledgements: Acknowledgements;
};

/** Opens the control plane and tells the gateway of it: once whole, then every change, each before its write returns. */
async function openControl({ config, log, parent, acknowledgements }: ControlParts): Promise<Accounts> {
  const snapshotFile = join(config.dataDir, 'control-snapshot.json');
  const accounts = await openAccounts({
    file: join(config.dataDir, 'control.db'),
    clock: systemClock,
    random: randomBytes,
  });
  const firstKeys = await accounts.bootstrap(config.adminKey === null ? {} : { adminKey: config.adminKey });
  accounts.onChange(async (change) => {
    await writeSnapshot(snapshotFile, await accounts.snapshot());
    parent.tell({ type: 'change', change });
    if (await acknowledgements.until(change.revision, APPLY_TIMEOUT_MS)) return;
    log.error({ revision: change.revision }, 'the gateway has not applied a change of keys in time');
  });
  const snapshot = await accounts.snapshot();
  await writeSnapshot(snapshotFile, snapshot);
  parent.tell({ type: 'control', snapshot, firstKeys });
  return accounts;
}

type JobParts = {
  readonly config: Config;
  readonly log: Log;
  readonly accounts: Accounts;
  readonly reports: StoreReader;
  readonly shipper: Shipper;
  readonly corrections: Corrections;
  readonly figures: BudgetFigures;
  readonly routes: Questions<readonly RouteStanding[]>;
  readonly inTurn: InTurn;
};

type Jobs = { readonly parts: Pick<AdminDeps, 'pricing' | 'byHand' | 'standings' | 'routes'>; close(): Promise<void> };

/** Prices as the gateway has them, and the jobs that append to the ledger. */
async function openJobs(parts: JobParts): Promise<Jobs> {
  const { config, log, accounts } = parts;
  const fileTerms = config.prices;
  const current = followPrices({ accounts, log, book: await loadPriceBook(), fileTerms });
  const estimator = createEstimator();
  const { providers, routing } = config;
  const jobs = jobDeps(parts, () => current().prices);
  const repricing = createRepricing(jobs);
  const releases = releaseAsTheyEnd(jobs, parts);
  const adjustments = createAdjustments({
    ...jobs,
    key: (reference) => accounts.infoOf(reference),
    tagRules: compileTagRules(config.tags),
  });
  return {
    parts: {
      pricing: { current, fileTerms, providers, routes: routing.routes, estimator, repricing },
      byHand: { adjustments, resolutions: createResolutions(jobs) },
      standings: () => parts.figures.standings(),
      routes: () => parts.routes.ask(),
    },
    close: async () => {
      await releases.close();
      await estimator.close();
    },
  };
}

/** A batch that ended is noticed so soon after. */
const RELEASES_EVERY_MS = 1_000;

/** Gives back what was held for batches, as they end. */
function releaseAsTheyEnd(jobs: JobDeps, { config, log }: JobParts): { close(): Promise<void> } {
  const folder = openBatchFolder(config.dataDir);
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= releaseBatches({ ...jobs, folder })
      .then(
        () => undefined,
        (error: unknown) => log.warn({ err: error }, 'what was held for a batch is given back later'),
      )
      .finally(() => {
        running = null;
      });
  }, RELEASES_EVERY_MS);
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

function jobDeps(parts: JobParts, prices: () => Prices): JobDeps {
  const { accounts, reports, shipper, corrections } = parts;
  return {
    prices,
    store: reports,
    append: (entries) => corrections.append(entries),
    untilStored: () => untilShipped(shipper),
    audit: accounts.audit,
    clock: systemClock,
    newId: (of) => `${of}_${randomBytes(12).toString('hex')}`,
    reader: (wire) => (Object.hasOwn(USAGE_READERS, wire) ? USAGE_READERS[wire] : undefined),
    quirks: (name) => quirksOf(parts.config, name),
    inTurn: parts.inTurn,
  };
}

/** Of a provider that is no longer configured, those it is known to have. */
function quirksOf({ providers }: Config, name: string): Quirks {
  return (providers.find((one) => one.name === name) ?? findProvider(name))?.quirks ?? NO_QUIRKS;
}

/** Entries that take longer to be in the store wait for something that is wrong with it. */
const SHIP_TIMEOUT_MS = 60_000;

async function untilShipped(shipper: Shipper): Promise<void> {
  if (await within(shipper.idle(), SHIP_TIMEOUT_MS)) return;
  const { waiting, failing } = shipper.state();
  throw new ApportionError('ledger_unavailable', `${waiting} entries are not in the store yet.`, {
    hint: failing === null ? 'Ask again when reports have caught up.' : 'The log says why shipping fails.',
  });
}

/** What is not told now is found by the next look at the budgets. */
function tellCrossed({ alerts, log }: { alerts: Alerts; log: Log }, crossings: Parameters<Alerts['crossed']>[0]): void {
  alerts
    .crossed(crossings)
    .catch((error: unknown) => log.warn({ err: error }, 'alerts of budgets come a little later'));
}

const LAG_REPORT_MS = 1_000;

function reportLag(parent: Parent, shipper: Shipper): NodeJS.Timeout {
  return setInterval(() => {
    const { through, quarantined } = shipper.state();
    parent.tell({ type: 'shipped', seq: through, quarantined });
  }, LAG_REPORT_MS).unref();
}

/** Ships what is durable, so that a stopped server's reports are complete; what is left goes out at the next start. */
async function shipUntil(shipper: Shipper, deadlineMs: number): Promise<void> {
  await within(shipper.idle(), deadlineMs);
}

/** Whether it was done in time. */
async function within(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    createLog({ level: 'info', part: 'ledger' }).fatal({ err: error }, 'the ledger process failed');
    process.exit(1);
  },
);
