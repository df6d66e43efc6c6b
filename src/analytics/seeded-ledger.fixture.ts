import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closeEntry,
  closeInDoubt,
  correctionEntry,
  openEntry,
  parseEntry,
  standingOf,
  type AttemptStart,
  type EntryRecord,
} from '#ledger';
import { eraseRows, type ErasureSubject } from '#ledger/erase';
import { openStore, type Store } from '#ledger/store';
import { invariant, systemClock, type TimestampMs } from '#std';
import { readBodyTags, readDefaultTags, resolveTags, type TagDeclaration } from '#tags';
import {
  picoUsd,
  type CallId,
  type CostState,
  type PicoUsd,
  type RatedCost,
  type TagSet,
  type TagSource,
} from '#terms';
import type { StoreReader } from './reader.ts';

/** One call of a test, in a few words; the rest of its entry follows from these. */
export type Seed = {
  /** ISO instant the call started. */
  readonly at: string;
  /** The tag fields of the request body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly model?: string;
  readonly requestModel?: string;
  readonly provider?: string;
  readonly key?: Partial<AttemptStart['key']>;
  /** The step of its run. */
  readonly sessionPath?: string;
  /** Tags the key locks, and those it only defaults to. */
  readonly locked?: readonly string[];
  readonly defaults?: readonly string[];
  /** Pico-dollars; null with a state of `unpriced`, `in_doubt`. */
  readonly cost?: bigint | null;
  /** What it is at public prices, and what is charged on; the cost, where not said. */
  readonly listCost?: bigint;
  readonly billed?: bigint;
  readonly state?: CostState;
  readonly atRisk?: bigint;
  readonly status?: 'ok' | 'upstream_error' | 'client_closed';
  readonly latencyMs?: number;
  readonly input?: number;
  readonly output?: number;
  readonly attempt?: number;
  /** The same call as the seed before: another attempt. */
  readonly sameCall?: boolean;
  readonly cause?: AttemptStart['cause'];
  readonly route?: string;
  readonly region?: string;
  readonly serviceTier?: string;
};

/** What an entry shall cost from now on. */
export type Correct = { readonly entry: string; readonly cost: bigint; readonly state: CostState };

export type SeededLedger = {
  /** Reads entries one by one. */
  readonly store: StoreReader;
  /** Reads sums of them where there are any. */
  readonly summed: StoreReader;
  /** Sums up what there is enough of, see `sumEntries`. */
  sumUp(): Promise<void>;
  /** Sends what was added last once more, as shipping does after a crash. */
  repeat(): Promise<void>;
  erase(subject: ErasureSubject): Promise<void>;
  /** Takes the detail of what began before an instant. How many entries had any. */
  retireDetail(before: string): Promise<number>;
  add(seeds: readonly Seed[]): Promise<readonly CallId[]>;
  /** Appends corrections of entries added before. */
  correct(corrections: readonly Correct[]): Promise<void>;
  /** What `asOf` says; entries beyond it are in the store but not in reports. */
  showUpTo(seq: number): void;
  close(): Promise<void>;
};

const NODE = 'node-test';
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A real store in a temporary directory, filled with entries as the gateway writes them. */
export async function openSeededLedger({ sumEntries = 1 } = {}): Promise<SeededLedger> {
  const directory = await mkdtemp(join(tmpdir(), 'apportion-analytics-'));
  const store = await openStore({ path: directory }, { log: SILENT, clock: systemClock, sumEntries });
  let last = 0;
  let sent: Parameters<typeof store.insert>[0] | undefined;
  let visible = 0;
  const entries = new Map<string, EntryRecord[]>();
  const insert = async (bodies: readonly string[]): Promise<void> => {
    const first = last + 1;
    const lines = bodies.map((body) => {
      last += 1;
      return Buffer.from(`{"node_id":"${NODE}","seq":${last},${body.slice(1)}`);
    });
    sent = { nodeId: NODE, first, last, generation: 0, lines };
    await store.insert(sent);
    visible = last;
    for (const entry of bodies.map((body) => parseEntry(JSON.parse(body)))) {
      const subject = entry.corrects === '' ? entry.entryId : entry.corrects;
      entries.set(subject, [...(entries.get(subject) ?? []), entry]);
    }
  };
  const raw: StoreReader = {
    query: (sql, params, options) => store.query(sql, params, options),
    asOf: () => ({ nodeId: NODE, seq: visible, at: systemClock.now() }),
  };
  return {
    store: raw,
    summed: { ...raw, sums: store.sums, cells: store.cells, wide: store.wide },
    ...aside(store, { last: () => last, sent: () => sent }),
    async add(seeds) {
      const ids: CallId[] = [];
      const bodies = seeds.map((seed, at) => {
        const id = seed.sameCall === true ? ids.at(-1) : undefined;
        const callId = id ?? (`call_${String(last + at + 1).padStart(32, '0')}` as CallId);
        ids.push(callId);
        return entryOf(seed, { callId, last: seeds[at + 1]?.sameCall !== true });
      });
      await insert(bodies);
      return ids;
    },
    async correct(corrections) {
      for (const correction of corrections) await insert([correctionOf(correction, entries.get(correction.entry))]);
    },
    showUpTo(seq) {
      visible = seq;
    },
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** What befalls a store beside being filled. */
function aside(
  store: Store,
  state: { readonly last: () => number; readonly sent: () => Parameters<Store['insert']>[0] | undefined },
): Pick<SeededLedger, 'sumUp' | 'repeat' | 'erase' | 'retireDetail'> {
  return {
    async sumUp() {
      await store.tune();
      store.reached(NODE, state.last());
      await store.kept();
    },
    async repeat() {
      const sent = state.sent();
      if (sent !== undefined) await store.insert(sent);
    },
    async erase(subject) {
      await eraseRows(store, subject);
    },
    async retireDetail(before) {
      const { entries } = await store.retireDetail(Date.parse(before) as TimestampMs, new AbortController().signal);
      return entries;
    },
  };
}

function entryOf(seed: Seed, { callId, last }: { readonly callId: CallId; readonly last: boolean }): string {
  const startedAt = Date.parse(seed.at) as TimestampMs;
  const reserved = picoUsd(seed.atRisk ?? 5_000_000n);
  const start: AttemptStart = {
    callId,
    attempt: seed.attempt ?? 1,
    startedAt,
    cause: seed.cause ?? 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'first key', team: '', owner: '', ...seed.key },
    tags: tagsOf(seed),
    requestModel: seed.requestModel ?? seed.model ?? 'gpt-4o',
    route: seed.route ?? '',
    provider: seed.provider ?? 'openai',
    priceAs: seed.provider ?? 'openai',
    region: seed.region ?? '',
    model: seed.model ?? 'gpt-4o',
    reserved,
  };
  const state = seed.state ?? 'exact';
  if (state === 'in_doubt') return closeInDoubt(openEntry(start), startedAt, 'gateway_crashed');
  const cost = state === 'unpriced' ? null : picoUsd(seed.cost ?? 1_000_000n);
  const latencyMs = seed.latencyMs ?? 100;
  return closeEntry(openEntry(start), start, {
    endedAt: (startedAt + latencyMs) as TimestampMs,
    status: seed.status ?? 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: `chatcmpl-${callId}`,
    last,
    responseModel: start.model,
    latencyMs,
    firstByteMs: 10,
    usage: {
      meters: { input: seed.input ?? 10, output_text: seed.output ?? 5 },
      origin: 'reported',
      ...(seed.serviceTier === undefined ? {} : { serviceTier: seed.serviceTier }),
      raw: '{"prompt_tokens":10,"completion_tokens":5}',
    },
    rated: { state, ...amountsOf(seed, cost), terms: [], ...linesOf(cost), unpricedMeters: [] },
    priceBook: 'book-1',
  });
}

function amountsOf(
  { listCost, billed }: Pick<Seed, 'listCost' | 'billed'>,
  cost: PicoUsd | null,
): Pick<RatedCost, 'cost' | 'listCost' | 'billed' | 'computedCost'> {
  return {
    cost,
    listCost: listCost === undefined ? cost : picoUsd(listCost),
    billed: billed === undefined ? cost : picoUsd(billed),
    computedCost: cost,
  };
}

function linesOf(cost: PicoUsd | null): Pick<RatedCost, 'charges'> {
  return { charges: cost === null ? [] : [chargeOf(cost)] };
}

function correctionOf({ entry, cost, state }: Correct, entries: readonly EntryRecord[] = []): string {
  const [original, ...corrections] = entries;
  invariant(original !== undefined, `${entry} was added`);
  return correctionEntry({
    original,
    standing: standingOf(original, corrections),
    rated: { state, ...amountsOf({}, picoUsd(cost)), terms: [], ...linesOf(picoUsd(cost)), unpricedMeters: [] },
    meters: original.meters,
    postedAt: original.effectiveAt,
    reason: 'repriced',
    priceBook: 'book-2',
  }).entry;
}

function chargeOf(amount: PicoUsd): Parameters<typeof closeEntry>[2]['rated']['charges'][number] {
  return {
    meter: 'input',
    quantity: 10,
    unitPrice: { amount: '0.15', per: 1_000_000 },
    amount,
    priceRow: 'openai/gpt-4o#input',
  };
}

function tagsOf({ body = {}, locked = [], defaults = [], sessionPath }: Seed): TagSet {
  const fields = Object.fromEntries(Object.entries(body).map(([name, value]) => [name, JSON.stringify(value)]));
  const sources = new Map<TagSource, TagDeclaration>([
    ['key_lock', readDefaultTags({ tags: locked })],
    ['body', readBodyTags(fields).declaration],
    ['key_default', readDefaultTags({ tags: defaults })],
  ]);
  return { ...resolveTags(sources, { keyTeam: '' }), sessionPath: sessionPath ?? null };
}
