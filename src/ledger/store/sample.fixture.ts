import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TimestampMs } from '#std';
import { picoUsd, type CallId, type Dimension, type PicoUsd, type RatedCost } from '#terms';
import { closeEntry, openEntry, type AttemptStart } from '../entry.ts';
import type { Log } from './log.ts';
import { rowsOf, type EntryReader, type JournalEntry } from './shipment.ts';

export type Sample = {
  readonly cost?: bigint | null;
  readonly tags?: Readonly<Record<string, string>>;
  readonly labels?: readonly string[];
  readonly startedAt?: number;
  readonly sessionPath?: string;
  readonly traceId?: string;
  readonly overflow?: Readonly<Record<string, string>>;
};

/** The entry of call number `n`, as the gateway writes it. */
export function sampleEntry(n: number, sample: Sample = {}): string {
  const cost = sample.cost === undefined ? BigInt(n) * 1_000_003n : sample.cost;
  const startedAt = (sample.startedAt ?? Date.UTC(2026, 9, 31, 23, 59, 0) + n * 1000) as TimestampMs;
  const start = sampleStart(n, startedAt, sample);
  return closeEntry(openEntry(start), start, {
    endedAt: (startedAt + 250) as TimestampMs,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: `chatcmpl-${n}`,
    last: true,
    responseModel: 'gpt-4o-2024-08-06',
    latencyMs: 250,
    firstByteMs: 120,
    usage: { meters: { input: 10, output_text: 5 }, origin: 'reported', raw: '{"prompt_tokens":10}' },
    rated: {
      state: cost === null ? 'unpriced' : 'exact',
      charges:
        cost === null
          ? []
          : [
              {
                meter: 'input',
                quantity: 10,
                unitPrice: { amount: '2.5', per: 1_000_000 },
                amount: picoUsd(cost),
                priceRow: 'openai/gpt-4o#1',
              },
            ],
      ...sampleAmounts(cost === null ? null : picoUsd(cost)),
      terms: [],
      unpricedMeters: cost === null ? ['input'] : [],
    },
    priceBook: 'seed-1',
  });
}

function sampleAmounts(cost: PicoUsd | null): Pick<RatedCost, 'cost' | 'listCost' | 'billed' | 'computedCost'> {
  return { cost, listCost: cost, billed: cost, computedCost: cost };
}

function sampleStart(n: number, startedAt: TimestampMs, sample: Sample): AttemptStart {
  const dimensions = new Map<string, Dimension>(
    Object.entries(sample.tags ?? { team: `team${n % 3}` }).map(([key, value]) => [
      key,
      { value, provenance: 'declared' },
    ]),
  );
  return {
    callId: `call_${n.toString(16).padStart(32, '0')}` as CallId,
    attempt: 1,
    startedAt,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'first key', team: 'core', owner: 'ann' },
    tags: {
      entity: { type: 'customer', id: 'acme' },
      sessionId: null,
      sessionPath: sample.sessionPath ?? null,
      traceId: sample.traceId ?? null,
      overflow: new Map(Object.entries(sample.overflow ?? {})),
      dimensions,
      labels: sample.labels ?? ['beta'],
      paths: ['US/California'],
      conflicts: [{ key: 'team', value: 'other', source: 'key_default' }],
      sent: ['team:x', 'beta'],
      warnings: [],
    },
    requestModel: 'gpt-4o',
    route: '',
    provider: 'openai',
    priceAs: 'openai',
    region: '',
    model: 'gpt-4o',
    reserved: picoUsd(5_000_000n),
  };
}

export function rowOf(nodeId: string, entry: JournalEntry): Buffer {
  return Buffer.concat([...rowsOf(nodeId, [entry])]);
}

/** A journal in one file, a line per entry: line number = sequence number. */
export type EntryFile = {
  append(bodies: readonly string[]): number;
  bodies(): string[];
  /** The retention of all entries up to here is over. */
  retire(through: number): void;
  reader: EntryReader;
};

export function entryFile(path: string): EntryFile {
  let gone = 0;
  const bodies = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  return {
    append(more) {
      appendFileSync(path, more.map((body) => `${body}\n`).join(''));
      return bodies().length;
    },
    bodies,
    retire(through) {
      gone = through;
    },
    reader: {
      retired: () => gone,
      next({ after, through, maxEntries }) {
        if (after < gone) throw new Error(`entry ${after + 1} is older than the oldest file`);
        return bodies()
          .slice(after, Math.min(through, after + maxEntries))
          .map((body, index) => ({ seq: after + 1 + index, body: Buffer.from(body) }));
      },
    },
  };
}

/** A temporary directory, gone when disposed of. */
export async function tempDir(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'apportion-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export type Line = { readonly level: 'info' | 'warn' | 'error'; readonly fields: object; readonly sentence: string };

/** A log that can be read back. */
export function keptLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const say =
    (level: Line['level']) =>
    (fields: object, sentence: string): void =>
      void lines.push({ level, fields, sentence });
  return { lines, info: say('info'), warn: say('warn'), error: say('error') };
}
