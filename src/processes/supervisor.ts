import { fork, type ChildProcess } from 'node:child_process';
import type { Crossing, Standing } from '#budgets';
import type { Log } from '#observe';
import { systemClock } from '#std';
import type { EntryId } from '#terms';
import { createAnnouncer } from './announcer.ts';
import type { ToGateway, ToLedger } from './messages.ts';
import type { RouteStanding } from './route-standing.ts';

export type LedgerSupervisor = {
  /** Tells the ledger process that there is more to ship. */
  durable(): void;
  applied(revision: number): void;
  crossed(crossings: readonly Crossing[]): void;
  /** Whether analytics and administration answer, at once or before the timeout. */
  untilServing(timeoutMs: number): Promise<boolean>;
  /** Lets it ship what is durable and close its store; kills it at the deadline. */
  stop(deadlineMs: number): Promise<void>;
};

export type SupervisorOptions = {
  readonly script: URL;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly start: Extract<ToLedger, { type: 'start' }>;
  readonly onMessage: (
    message: Exclude<ToGateway, { type: 'serving' | 'correct' | 'rotate' | 'standings' | 'routes' }>,
  ) => void;
  /** Appends an entry to the journal; resolves when it is on disk. */
  readonly append: (id: EntryId, entry: string) => Promise<void>;
  /** Seals the journal's segment that is being written. */
  readonly rotate: () => Promise<unknown>;
  readonly standings: () => Promise<readonly Standing[]>;
  readonly routes: () => readonly RouteStanding[];
  /** The newest durable sequence number, told to a process that was started again. */
  readonly durableSeq: () => number;
  readonly log: Log;
};

/** Of each half of the young generation: V8 takes 32 where there is much memory, which only fills with what shipping leaves behind. */
const LEDGER_SEMI_SPACE_MB = 8;
const FIRST_RESTART_MS = 250;
const LONGEST_RESTART_MS = 5_000;
/** A process that lived this long failed anew, not again. */
const HEALTHY_AFTER_MS = 30_000;

/** Runs the ledger process, and runs it again whenever it dies: calls do not depend on it. */
export function superviseLedger(options: SupervisorOptions): LedgerSupervisor {
  let child: ChildProcess | null = null;
  let stopping = false;
  let restartMs = FIRST_RESTART_MS;
  let timer: NodeJS.Timeout | undefined;
  let serving = Promise.withResolvers<true>();

  function receive(message: ToGateway): void {
    if (message.type === 'serving') serving.resolve(true);
    else if (isQuestion(message)) void answerTo(options, message).then(send);
    else options.onMessage(message);
  }

  function run(): void {
    const startedMs = systemClock.elapsedMs();
    const started = startProcess(options);
    child = started;
    started.on('message', (message) => receive(message as ToGateway));
    started.on('error', (error) => options.log.error({ err: error }, 'the ledger process could not be started'));
    started.on('exit', (code, signal) => {
      child = null;
      serving = Promise.withResolvers<true>();
      if (stopping) return;
      if (systemClock.elapsedMs() - startedMs > HEALTHY_AFTER_MS) restartMs = FIRST_RESTART_MS;
      options.log.warn(
        { code, signal, restart_ms: restartMs },
        'the ledger process ended; calls go on, and it is started again',
      );
      timer = setTimeout(run, restartMs);
      restartMs = Math.min(restartMs * 2, LONGEST_RESTART_MS);
    });
    send(options.start);
    announcer.anew();
  }

  /** A message to a process that is just dying is lost with it; its successor is told everything again. */
  function send(message: ToLedger, sent: () => void = () => undefined): void {
    if (child?.connected === true) child.send(message, sent);
  }

  const announcer = createAnnouncer((sent) => send({ type: 'durable', seq: options.durableSeq() }, sent));

  run();
  return {
    durable: announcer.soon,
    applied: (revision) => send({ type: 'applied', revision }),
    crossed: (crossings) => send({ type: 'crossed', crossings }),
    untilServing: async (timeoutMs) => {
      const timeout = Promise.withResolvers<false>();
      const giveUp = setTimeout(() => timeout.resolve(false), timeoutMs);
      const answer = await Promise.race([serving.promise, timeout.promise]);
      clearTimeout(giveUp);
      return answer;
    },
    stop: async (deadlineMs) => {
      stopping = true;
      clearTimeout(timer);
      const last = child;
      if (last === null) return;
      announcer.now();
      send({ type: 'stop' });
      await endOf(last, deadlineMs);
    },
  };
}

function startProcess({ script, env }: Pick<SupervisorOptions, 'script' | 'env'>): ChildProcess {
  return fork(script, {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, `--max-semi-space-size=${LEDGER_SEMI_SPACE_MB}`],
    env: { ...env },
  });
}

async function endOf(child: ChildProcess, deadlineMs: number): Promise<void> {
  const killer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  }
  clearTimeout(killer);
}

/** What the gateway process is asked, and the ledger process waits for. */
type Question = Extract<ToGateway, { type: 'correct' | 'rotate' | 'standings' | 'routes' }>;

const QUESTIONS: ReadonlySet<ToGateway['type']> = new Set(['correct', 'rotate', 'standings', 'routes']);

function isQuestion(message: ToGateway): message is Question {
  return QUESTIONS.has(message.type);
}

function answerTo(options: SupervisorOptions, question: Question): Promise<ToLedger> {
  switch (question.type) {
    case 'correct':
      return appendAll(options, question);
    case 'rotate':
      return rotate(options, question);
    case 'standings':
      return askStandings(options, question);
    case 'routes':
      return Promise.resolve({ type: 'routes', id: question.id, routes: options.routes() });
  }
}

/** Those that cannot be written do not keep the others from it: what became of each shows in the store. */
async function appendAll(
  { append, durableSeq, log }: SupervisorOptions,
  { id, entries }: Extract<ToGateway, { type: 'correct' }>,
): Promise<ToLedger> {
  const done = await Promise.allSettled(entries.map((entry) => append(entry.id, entry.body)));
  const failed = done.find((one) => one.status === 'rejected');
  if (failed !== undefined) log.error({ err: failed.reason }, 'corrections could not be recorded');
  const problem =
    failed === undefined ? null : failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
  return { type: 'corrected', id, seq: durableSeq(), problem };
}

async function rotate(options: SupervisorOptions, { id }: Extract<ToGateway, { type: 'rotate' }>): Promise<ToLedger> {
  try {
    await options.rotate();
    return { type: 'rotated', id, seq: options.durableSeq(), problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { type: 'rotated', id, seq: options.durableSeq(), problem };
  }
}

async function askStandings(
  { standings }: SupervisorOptions,
  { id }: Extract<ToGateway, { type: 'standings' }>,
): Promise<ToLedger> {
  try {
    return { type: 'standings', id, standings: await standings() };
  } catch {
    // The journal has failed, which is told elsewhere: nobody knows the figures.
    return { type: 'standings', id, standings: null };
  }
}
