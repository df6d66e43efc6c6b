import type { BatchBook, BatchFolder, OpenBatch } from '#batches';
import type { Log } from '#observe';
import type { Clock, TimestampMs } from '#std';
import { dialectOf, NO_TARGET, passThrough } from '#wires';
import { forward, type Flow, type UpstreamEnd } from '../forward.ts';
import { ANTHROPIC_VERSION } from '../headers.ts';
import { MeteredFlow } from './metered-flow.ts';
import { pathAtProvider, type CallRoute, type RoutedCall } from '../routes.ts';
import { signIn, SignInError } from '../sign-in.ts';
import type { Choice, Upstreams } from '../upstreams.ts';

export type BatchCollectorDeps = {
  readonly book: BatchBook;
  readonly folder: Pick<BatchFolder, 'dropInputsBefore'>;
  readonly upstreams: Upstreams;
  /** How often a provider is asked about a batch; 0 for never. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn' | 'info'>;
};

/** A provider that fails is asked less and less often, up to so long. */
const LONGEST_PAUSE_MS = 3_600_000;

/** Batches asked about at once, so that many of them are no burst. */
const TOGETHER = 8;

/** OpenAI deletes the files of batches after 30 days unless it is told otherwise (Files API). */
const INPUT_KEPT_MS = 35 * 86_400_000;

/** For a file that may be anybody's, a batch is not asked about again so soon; its results are collected in any case. */
const LOOK_AGAIN_MS = 2_000;

/** An answer about a batch is small; one that is not is none. */
const STATUS_BYTES = 1024 * 1024;

type Due = { readonly at: number; readonly pauseMs: number };

/**
 * Asks providers for batches whose results nobody has fetched through us, and meters them: money is not missed where an application fetches
 * elsewhere, or never.
 */
export class BatchCollector {
  readonly #deps: BatchCollectorDeps;
  readonly #due = new Map<OpenBatch, Due>();
  readonly #collecting = new Map<OpenBatch, Promise<void>>();
  /** When batches were looked at last, by their id. */
  readonly #looked = new Map<string, number>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: BatchCollectorDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#deps.pollMs > 0) this.#later(0);
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #later(ms: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#round().then(() => this.#later(this.#deps.pollMs));
    }, ms);
  }

  async #round(): Promise<void> {
    const { book, clock, folder, pollMs, log } = this.#deps;
    await folder
      .dropInputsBefore((clock.now() - INPUT_KEPT_MS) as TimestampMs)
      .catch((error: unknown) => log.warn({ err: error }, 'old inputs of batches could not be removed'));
    const open = book.all();
    for (const known of this.#due.keys()) if (!open.includes(known)) this.#due.delete(known);
    const now = clock.elapsedMs();
    const due = open.filter((batch) => (this.#due.get(batch)?.at ?? 0) <= now);
    for (let at = 0; at < due.length && !this.#stopping.signal.aborted; at += TOGETHER) {
      const some = due.slice(at, at + TOGETHER);
      const done = await Promise.allSettled(some.map((batch) => this.collect(batch)));
      for (const [index, batch] of some.entries()) {
        const result = done[index];
        const failed = result?.status === 'rejected';
        const before = this.#due.get(batch)?.pauseMs ?? pollMs;
        const pauseMs = failed ? Math.min(LONGEST_PAUSE_MS, before * 2) : pollMs;
        this.#due.set(batch, { at: now + pauseMs - 1, pauseMs });
        if (failed)
          log.warn(
            { err: result.reason, batch: batch.record.batch },
            'a batch could not be asked about; it is asked again',
          );
      }
    }
  }

  /** Looks at a batch and, if it is over, reads all its results. */
  collect(batch: OpenBatch): Promise<void> {
    const running = this.#collecting.get(batch);
    if (running !== undefined) return running;
    const collecting = this.#collect(batch).finally(() => this.#collecting.delete(batch));
    this.#collecting.set(batch, collecting);
    return collecting;
  }

  async #collect(batch: OpenBatch): Promise<void> {
    await this.look(batch);
    const { book, log } = this.#deps;
    const { record, status } = batch;
    if (status === null || !status.over) return;
    for (const file of status.results) {
      if (book.find(record.provider, record.batch) === undefined) return;
      const metered = new MeteredFlow(await book.reader(batch, file));
      const path =
        record.dialect === 'anthropic' ? `/messages/batches/${record.batch}/results` : `/files/${file}/content`;
      const answered = await this.#get(batch, path, (chunk, flow) => metered.push(chunk, flow));
      const whole = answered.status === 200 && answered.end.kind === 'complete';
      await metered.close(whole ? 'whole' : 'cut');
      if (!whole) throw new Error(`the results ${file} ended with ${answered.end.kind}, status ${answered.status}`);
    }
    log.info({ batch: record.batch, provider: record.provider }, 'the results of a batch are metered');
  }

  /** Asks the provider how a batch stands. */
  async look(batch: OpenBatch): Promise<void> {
    const { provider, dialect, batch: id } = batch.record;
    const parts: Buffer[] = [];
    let bytes = 0;
    const path = dialect === 'anthropic' ? `/messages/batches/${id}` : `/batches/${id}`;
    const { status, end } = await this.#get(batch, path, (chunk, flow) => {
      bytes += chunk.length;
      if (bytes <= STATUS_BYTES) parts.push(chunk);
      else flow.abandon();
    });
    if (status !== 200 || end.kind !== 'complete')
      throw new Error(`the provider answered ${status} (${end.kind}) about ${id}`);
    await this.#deps.book.learn(provider, Buffer.concat(parts));
    if (this.#deps.book.find(provider, id) === undefined) this.#looked.delete(id);
    else this.#looked.set(id, this.#deps.clock.elapsedMs());
  }

  /** The batch that a file is the results of, after all of the provider's were asked that may be. */
  async lookFor(provider: string, file: string): Promise<OpenBatch | undefined> {
    const { book, clock } = this.#deps;
    const open = book.all().filter(({ record, status }) => {
      const looked = this.#looked.get(record.batch) ?? -LOOK_AGAIN_MS;
      const long = clock.elapsedMs() - looked >= LOOK_AGAIN_MS;
      return record.provider === provider && record.dialect === 'openai' && status?.over !== true && long;
    });
    for (let at = 0; at < open.length; at += TOGETHER) {
      // One that cannot be asked is asked again later; the file may be another's.
      await Promise.allSettled(open.slice(at, at + TOGETHER).map((batch) => this.look(batch)));
      const found = book.ofResults(provider, file);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #get(
    { record }: OpenBatch,
    path: string,
    take: (chunk: Buffer, flow: Flow) => void,
  ): Promise<{ readonly status: number; readonly end: UpstreamEnd }> {
    const wire = { ...passThrough, dialect: record.dialect };
    const choice = this.#deps.upstreams.speaking(wire, record.provider);
    if (choice === undefined) throw new Error(`the provider ${record.provider} is not configured any more`);
    const { upstream } = choice;
    const route: CallRoute = { operation: 'batches', dialect: record.dialect, wire, billing: 'free' };
    const call: RoutedCall = { route, method: 'GET', upstreamPath: path, target: NO_TARGET };
    const request = await signIn(upstream, {
      method: 'GET',
      path: pathAtProvider(call, choice, { stream: false }),
      headers: headersFor(choice),
      body: null,
    });
    if (request instanceof SignInError) throw request;
    let status = 0;
    let flow: Flow | null = null;
    const stop = (): void => flow?.abandon();
    this.#stopping.signal.addEventListener('abort', stop);
    try {
      const end = await forward(upstream, request, {
        open: (opened) => {
          flow = opened;
        },
        start: (given) => {
          status = given;
        },
        data: (chunk) => {
          if (status < 300 && flow !== null) take(chunk, flow);
        },
      });
      return { end, status };
    } finally {
      this.#stopping.signal.removeEventListener('abort', stop);
    }
  }
}

function headersFor({ upstream, wire }: Choice): Record<string, string> {
  const version = dialectOf(wire) === 'anthropic' ? { 'anthropic-version': ANTHROPIC_VERSION } : {};
  return { 'accept-encoding': 'identity', ...version, ...upstream.headers };
}
