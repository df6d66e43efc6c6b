import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { combineOperatorTerms, KeyRing, readSnapshot } from '#accounts';
import { ConfigError, inheritedEnvironment, loadConfig, readAtPlace, type Config } from '#config';
import {
  createGateway,
  Governor,
  Leases,
  LedgerProxy,
  Recording,
  Refusals,
  Routing,
  Tagging,
  Upstreams,
  type TaggingOptions,
} from '#gateway';
import { addressSetOf } from '#http';
import { openDataDir, openJournal, type DataDir, type Journal, type RotatableJournal } from '#ledger';
import { createConsole, createLog, createMetrics, welcomeText, type Log, type Metrics } from '#observe';
import {
  combineTerms,
  loadPriceBook,
  makePrices,
  parsePriceTerm,
  type PriceBook,
  type Prices,
  type PriceTerms,
} from '#pricing';
import { superviseLedger, type FirstKeys, type ToGateway } from '#processes';
import { startSandbox } from '#providers';
import { createEstimator, type Dialect } from '#wires';
import { createRandom, describeSystemError, systemClock, type Random } from '#std';
import { compileTagRules, createCardinalityGate, parseTagPolicy, readDefaultTags } from '#tags';
import { ApportionError } from '#terms';
import { openBatches } from './main-batches.ts';
import { boundHeapGrowth } from './main-heap.ts';

const terminal = createConsole();

/** The gateway process: builds the parts, starts them in order, and stops them in the opposite one. */
async function main(): Promise<void> {
  boundHeapGrowth();
  const config = loadConfig();
  const tagSettings = readTagSettings(config);
  const priceTerms = readPriceTerms(config);
  const log = createLog({ level: config.logLevel, part: 'gateway' });
  for (const warning of config.warnings) log.warn({}, warning);
  const dataDir = await openDataDir(config.dataDir);
  const journal = await openJournal({
    dir: dataDir.journalDir,
    nodeId: dataDir.nodeId,
    epoch: dataDir.epoch,
    clock: systemClock,
    segmentBytes: config.journal.segmentBytes,
    shared: config.redisUrl !== null,
    warn: (problem) => log.warn({ problem }, 'the journal goes on'),
  });
  reportRecovery(journal, log);
  const prices = await loadPriceBook();
  const sockets = openSocketFolder(dataDir.nodeId);
  const server = await startServer({ config, tagSettings, priceTerms, log, dataDir, journal, prices, sockets });
  const url = `http://${displayHost(config.host)}:${server.port}`;
  writeFileSync(join(dataDir.path, 'address.json'), `${JSON.stringify({ url, pid: process.pid })}\n`);
  terminal.say(
    welcomeText({
      url,
      dataDir: dataDir.path,
      ...server.firstKeys,
      ...server.example,
      providers: server.providers,
      today: today(),
    }),
  );
  log.info({ url, node_id: dataDir.nodeId, price_book: prices.version }, 'calls are served');
  stopOnSignal({ config, log, server, release: () => releaseAll(dataDir, sockets) });
}

/**
 * A folder for Unix sockets, the same at each start, so that a killed server leaves nothing behind for ever. In the data
 * directory the sockets' paths could be longer than the system allows (108 bytes on Linux).
 */
function openSocketFolder(nodeId: string): string {
  const folder = join(tmpdir(), `apportion-${nodeId}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

type Parts = {
  readonly config: Config;
  readonly tagSettings: TagSettings;
  /** What the configuration file says about prices. */
  readonly priceTerms: PriceTerms;
  readonly log: Log;
  readonly dataDir: DataDir;
  readonly journal: RotatableJournal;
  readonly prices: PriceBook;
  /** The folder for Unix sockets. */
  readonly sockets: string;
};

type RunningServer = {
  readonly port: number;
  readonly firstKeys: FirstKeys;
  /** A model for the first call. */
  readonly example: { readonly model: string; readonly dialect: Dialect };
  readonly providers: readonly string[];
  stop(deadlineMs: number): Promise<{ readonly cut: number }>;
};

async function startServer(parts: Parts): Promise<RunningServer> {
  const { config, log, journal } = parts;
  const metrics = createMetrics();
  const sandboxSocket = config.sandbox ? join(parts.sockets, 'sandbox.sock') : null;
  const sandbox = sandboxSocket === null ? null : await startSandbox(sandboxSocket);
  const upstreams = openUpstreams(parts, sandboxSocket);
  const random = createRandom();
  const routing = openRouting(config, upstreams, random);
  metrics.deployments(() => routing.states());
  const control = await startControl(parts, { metrics, routing });
  const { governor, leases, socketPath, untilServing } = control;
  const recording = openRecording(parts, { ...control, metrics });
  const estimator = createEstimator();
  const trustedProxies = addressSetOf(config.trustedProxies);
  const proxy = new LedgerProxy({ socketPath, untilServing, trustedProxies, log });
  const prices = followPrices(parts, control.keys);
  const batches = await openBatches({ ...parts, upstreams, prices });
  const gateway = createGateway({
    config,
    clock: systemClock,
    random,
    keys: () => control.keys,
    trustedProxies,
    tagging: openTagging(parts),
    upstreams,
    routing,
    prices,
    recording,
    batches,
    governor,
    refusals: new Refusals({ metrics, log, clock: systemClock }),
    estimator,
    metrics,
    log,
    proxy,
    notReady: () => recording.refusal(),
  });
  const { port } = await gateway.listen(config);
  batches.collector.start();
  return {
    port,
    firstKeys: control.firstKeys,
    example: upstreams.example(),
    providers: upstreams.names(),
    stop: async (deadlineMs) => {
      const cut = await gateway.close(deadlineMs);
      await batches.collector.close();
      await Promise.all([upstreams.close(), estimator.close(), sandbox?.close(), proxy.close()]);
      await leases?.close();
      await journal.close();
      await control.stop(deadlineMs);
      return cut;
    },
  };
}

function openUpstreams({ config, prices }: Parts, sandboxSocket: string | null): Upstreams {
  const { providers, timeouts } = config;
  const pricedModels = (provider: string): readonly string[] => prices.models(provider);
  return new Upstreams({ providers, sandboxSocket, clock: systemClock, pricedModels, timeouts });
}

function openRouting({ routing: config }: Config, upstreams: Upstreams, random: Random): Routing {
  const fraction = (): number => random(4).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
  return new Routing({ upstreams, config, clock: systemClock, random: fraction });
}

function readPriceTerms({ prices }: Config): PriceTerms {
  return readAtPlace(prices, () => combineTerms(prices.terms.map((term, at) => parsePriceTerm(term, `prices[${at}]`))));
}

function openRecording(
  { config, journal, log }: Parts,
  { governor, leases, metrics }: Pick<Control, 'governor' | 'leases'> & { readonly metrics: Metrics },
): Recording {
  const isStrict = (intent: string): boolean => governor.isStrict(intent);
  return new Recording({ journal, failOpen: config.failOpen, isStrict, leases, metrics, log, clock: systemClock });
}

/** The price book under the operator's terms, made anew when one of them changes. */
function followPrices({ prices, priceTerms, log }: Parts, keys: KeyRing): () => Prices {
  let stored = keys.priceTerms;
  const make = (): Prices => {
    const { terms, faults } = combineOperatorTerms(priceTerms, stored);
    for (const fault of faults) log.error({ fault }, 'a stored price is left out: this version cannot read it');
    return makePrices(prices, terms);
  };
  let current = make();
  return () => {
    if (keys.priceTerms !== stored) {
      stored = keys.priceTerms;
      current = make();
    }
    return current;
  };
}

/** More keys than this with a cap on their values are counted together. */
const CAPPED_KEYS = 1_000;

type TagSettings = Pick<TaggingOptions, 'rules' | 'policy' | 'defaults'>;

/** Compiles the settings about tags; what is wrong in them is told with its place in the file. */
function readTagSettings({ tags }: Config): TagSettings {
  const rules = readAtPlace(tags, () => compileTagRules(tags));
  return {
    rules,
    policy: tags.policy === null ? null : readAtPlace(tags, () => parseTagPolicy(tags.policy, 'tags.policy')),
    defaults: readAtPlace(tags, () => readDefaultTags({ tags: tags.defaultTags }, rules)),
  };
}

function openTagging({ dataDir, tagSettings }: Parts): Tagging {
  return new Tagging({
    ...tagSettings,
    hashKey: dataDir.secret,
    gate: createCardinalityGate({ maxKeys: CAPPED_KEYS }),
    clock: systemClock,
  });
}

type Control = {
  readonly keys: KeyRing;
  readonly governor: Governor;
  /** Null: this node has its budgets to itself. */
  readonly leases: Leases | null;
  readonly socketPath: string;
  readonly firstKeys: FirstKeys;
  untilServing(timeoutMs: number): Promise<boolean>;
  stop(deadlineMs: number): Promise<void>;
};

/** Who is told by the ledger process, and who is asked. */
type Told = { readonly metrics: Metrics; readonly routing: Routing };

const NO_KEYS: FirstKeys = { adminKey: null, callKey: null };

/**
 * Starts the ledger process and the key ring it feeds. With a snapshot of an earlier run calls are served at once;
 * only the very first start waits for the ledger process to make the keys.
 */
async function startControl(parts: Parts, { metrics, routing }: Told): Promise<Control> {
  const { config, tagSettings, log, journal, dataDir } = parts;
  const socketPath = join(parts.sockets, 'ledger.sock');
  const snapshot = await readSnapshot(join(dataDir.path, 'control-snapshot.json'));
  const keys = new KeyRing(snapshot ?? { revision: 0, adminKeyHash: null, keys: [] }, {
    clock: systemClock,
    adminKey: config.adminKey,
    tagRules: tagSettings.rules,
  });
  const leases = openLeases(parts);
  const governor = new Governor({ journal, keys, log, changed: async () => leases?.rulesChanged() });
  // Budgets are in force before the first call is served.
  await governor.update();
  const ready = Promise.withResolvers<FirstKeys>();
  const onMessage = (
    message: Exclude<ToGateway, { type: 'serving' | 'correct' | 'rotate' | 'standings' | 'routes' }>,
  ): void => {
    switch (message.type) {
      case 'control':
        keys.replace(message.snapshot);
        void governor.update().then(() => ready.resolve(message.firstKeys));
        break;
      case 'change':
        // A gap cannot be: the ledger process sends every change over one channel, and a snapshot when it starts.
        if (keys.apply(message.change) === 'resend')
          log.error({ revision: message.change.revision }, 'a change of keys is missing');
        break;
      case 'shipped':
        metrics.ledgerLag(Math.max(0, journal.durable().seq - message.seq));
        metrics.entriesQuarantined(message.quarantined);
        return;
    }
    const { revision } = keys;
    void governor.update().then(() => supervisor.applied(revision));
  };
  const supervisor = superviseLedger({
    script: new URL('./main-ledger.ts', import.meta.url),
    // Fewer pools of the C library: what a backlog leaves in each stays there.
    env: inheritedEnvironment({ MALLOC_ARENA_MAX: '2' }),
    start: { type: 'start', nodeId: dataDir.nodeId, epoch: dataDir.epoch, socketPath },
    durableSeq: () => journal.durable().seq,
    append: (id, entry) => journal.append(id, entry),
    rotate: () => journal.rotate(),
    standings: () => journal.standings(),
    routes: () => routing.standings(),
    onMessage,
    log,
  });
  journal.onDurable(() => supervisor.durable());
  journal.onCrossed((crossings) => supervisor.crossed(crossings));
  // With a snapshot there are keys already; should the control plane be new all the same, its keys are shown when they come.
  if (snapshot !== null) ready.promise.then(sayNewKeys, () => undefined);
  const firstKeys = snapshot === null ? await ready.promise : NO_KEYS;
  return {
    keys,
    governor,
    leases,
    socketPath,
    firstKeys,
    untilServing: supervisor.untilServing,
    stop: supervisor.stop,
  };
}

function openLeases({ config, dataDir, journal, log }: Parts): Leases | null {
  const { redisUrl: url } = config;
  return url === null ? null : new Leases({ url, nodeId: dataDir.nodeId, journal, clock: systemClock, log });
}

function sayNewKeys({ adminKey, callKey }: FirstKeys): void {
  if (adminKey !== null) terminal.say(`  New admin key, shown only now: ${adminKey}`);
  if (callKey !== null) terminal.say(`  New call key, shown only now: ${callKey}`);
}

function reportRecovery(journal: Journal, log: Log): void {
  const { entries, inDoubt, tornBytes } = journal.recovered;
  log.debug({ entries }, 'the journal is open');
  if (inDoubt > 0) log.warn({ in_doubt: inDoubt }, 'calls were in flight when the server stopped: they are in doubt');
  if (tornBytes > 0) log.warn({ torn_bytes: tornBytes }, 'an unfinished write at the end of the journal was set aside');
}

type Stop = {
  readonly config: Config;
  readonly log: Log;
  readonly server: RunningServer;
  readonly release: () => void;
};

function stopOnSignal({ config, log, server, release }: Stop): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: running calls end first');
    server.stop(config.timeouts.shutdownMs).then(
      ({ cut }) => {
        if (cut > 0) log.warn({ cut }, 'calls were cut at the deadline');
        release();
        log.info({}, 'stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.fatal({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

function releaseAll(dataDir: DataDir, sockets: string): void {
  rmSync(join(dataDir.path, 'address.json'), { force: true });
  rmSync(sockets, { recursive: true, force: true });
  dataDir.release();
}

function displayHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function today(): string {
  return new Date(systemClock.now()).toISOString().slice(0, 10);
}

main().catch((error: unknown) => {
  terminal.complain(describeFailure(error));
  process.exit(1);
});

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof ApportionError) {
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return `Apportion cannot start: ${error.message}${cause} ${error.hint ?? ''}`;
  }
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `Apportion cannot start: ${error.message}. Set APPORTION_PORT to a free port, or stop what uses this one.`;
  }
  const refused = describeSystemError(error);
  if (refused !== null) return `Apportion cannot start: ${refused}`;
  return `Apportion cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
