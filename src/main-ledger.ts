import { randomBytes } from 'node:crypto';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAccounts, writeSnapshot, type Accounts } from '#accounts';
import { createAdmin } from '#admin';
import { loadConfig, type Config } from '#config';
import { acquireLock } from '#ledger';
import { openEntryReader } from '#ledger/read';
import { boundariesIn, createShipper, openStore, quarantineIn, type Shipper } from '#ledger/store';
import { createLog, type Log } from '#observe';
import { Acknowledgements, connectToParent, type Parent } from '#processes';
import { systemClock } from '#std';

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
  const acknowledgements = new Acknowledgements();
  const stopped = Promise.withResolvers<void>();
  let shipper: Shipper | null = null;
  let durableSeq = 0;
  const parent = connectToParent({
    durable: (seq) => {
      durableSeq = seq;
      shipper?.wake(seq);
    },
    applied: (revision) => acknowledgements.applied(revision),
    stop: () => stopped.resolve(),
  });
  const { nodeId, socketPath } = await parent.start;
  const storeDir = join(config.dataDir, 'store');
  const lock = await acquireLock(join(storeDir, 'lock.db'), { role: 'ledger', waitMs: ORPHAN_WAIT_MS });
  const accounts = await openControl({ config, log, parent, acknowledgements });
  const store = await openStore({ path: storeDir }, { log, clock: systemClock });
  const following = createShipper({
    nodeId,
    reader: openEntryReader(join(config.dataDir, 'journal')),
    store,
    boundaries: boundariesIn(storeDir),
    quarantine: quarantineIn(storeDir),
    clock: systemClock,
    log,
  });
  shipper = following;
  following.wake(durableSeq);
  const admin = await createAdmin({
    accounts,
    store: { query: store.query, asOf: () => following.asOf() },
    log,
    clock: systemClock,
    dashboardDir: DASHBOARD,
  });
  await admin.listen({ path: socketPath });
  parent.tell({ type: 'serving' });
  log.info({ node_id: nodeId }, 'analytics and administration are served');
  const lag = reportLag(parent, following);
  await stopped.promise;
  clearInterval(lag);
  await admin.close();
  await shipUntil(following, config.timeouts.shutdownMs);
  await following.close();
  await store.close();
  await accounts.close();
  lock.release();
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

const LAG_REPORT_MS = 1_000;

function reportLag(parent: Parent, shipper: Shipper): NodeJS.Timeout {
  return setInterval(() => {
    const { through, quarantined } = shipper.state();
    parent.tell({ type: 'shipped', seq: through, quarantined });
  }, LAG_REPORT_MS).unref();
}

/** Ships what is durable, so that a stopped server's reports are complete; what is left goes out at the next start. */
async function shipUntil(shipper: Shipper, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([shipper.idle(), deadline]);
  clearTimeout(timer);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    createLog({ level: 'info', part: 'ledger' }).fatal({ err: error }, 'the ledger process failed');
    process.exit(1);
  },
);
