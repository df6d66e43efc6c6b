import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreReader } from '#analytics';
import { closeEntry, closeInDoubt, openDataDir, openEntry, openJournal, type AttemptStart } from '#ledger';
import { openEntryReader } from '#ledger/read';
import { boundariesIn, createShipper, openStore, quarantineIn, type Store } from '#ledger/store';
import type { Prices, PricedAttempt } from '#pricing';
import { systemClock, type TimestampMs } from '#std';
import { picoUsd, type CallId, type EntryId, type RatedCost, type TagSet, type Usage } from '#terms';

/** A call as the gateway recorded it: what it used, and by which prices it was priced then. */
export type Call = {
  readonly at: string;
  readonly model: string;
  readonly provider?: string;
  readonly usage: Usage | null;
  readonly wire?: string;
  readonly prices: Prices;
  readonly tags?: Readonly<Record<string, string>>;
  readonly lost?: boolean;
};

/** A journal on disk, a store that follows it, as the two processes of a server have them. */
export type OpenLedger = {
  readonly store: StoreReader;
  readonly retireDetail: Store['retireDetail'];
  record(calls: readonly Call[]): Promise<readonly EntryId[]>;
  append(entries: readonly { readonly id: EntryId; readonly body: string }[]): Promise<void>;
  untilStored(): Promise<void>;
  /** How many entries the journal has. */
  durable(): number;
  close(): Promise<void>;
};

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

export async function openLedger(): Promise<OpenLedger> {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-jobs-'));
  const data = await openDataDir(dir);
  const { nodeId, journalDir, storeDir } = data;
  const journal = await openJournal({ dir: journalDir, nodeId, clock: systemClock });
  const store = await openStore({ path: storeDir }, { log: SILENT, clock: systemClock });
  const shipper = createShipper({
    nodeId,
    reader: openEntryReader(journalDir),
    store,
    boundaries: boundariesIn(storeDir),
    quarantine: quarantineIn(storeDir),
    clock: systemClock,
    log: SILENT,
  });
  let recorded = 0;
  return {
    retireDetail: store.retireDetail,
    store: { query: (sql, params, options) => store.query(sql, params, options), asOf: () => shipper.asOf() },
    async record(calls) {
      const ids: EntryId[] = [];
      for (const call of calls) {
        recorded += 1;
        const callId = `call_${String(recorded).padStart(32, '0')}` as CallId;
        await journal.settle(`${callId}.1`, entryOf(call, callId));
        ids.push(`${callId}.1.attempt.0` as EntryId);
      }
      return ids;
    },
    async append(entries) {
      await Promise.all(entries.map(({ id, body }) => journal.append(id, body)));
    },
    async untilStored() {
      shipper.wake(journal.durable().seq);
      await shipper.idle();
    },
    durable: () => journal.durable().seq,
    async close() {
      await shipper.close();
      await store.close();
      await journal.close();
      data.release();
      await rm(dir, { recursive: true });
    },
  };
}

function entryOf(call: Call, callId: CallId): string {
  const { usage, prices, model, provider = 'p' } = call;
  const startedAt = Date.parse(call.at) as TimestampMs;
  const start: AttemptStart = {
    callId,
    attempt: 1,
    startedAt,
    cause: 'first',
    operation: 'chat',
    wire: call.wire ?? 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'first key', team: 'core', owner: '' },
    tags: tagsOf(call),
    requestModel: model,
    route: '',
    provider,
    priceAs: provider,
    region: '',
    model,
    reserved: picoUsd(5_000_000n),
  };
  if (call.lost === true) return closeInDoubt(openEntry(start), startedAt, 'gateway_crashed');
  return closeEntry(openEntry(start), start, {
    endedAt: startedAt,
    status: usage === null ? 'upstream_error' : 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: `chatcmpl-${callId}`,
    last: true,
    responseModel: usage === null ? '' : model,
    latencyMs: 10,
    firstByteMs: 5,
    usage,
    rated: usage === null ? NOT_BILLED : prices.price(usage, attemptOf(start)),
    priceBook: prices.version,
  });
}

const NOTHING = picoUsd(0n);

const NOT_BILLED: RatedCost = {
  state: 'exact',
  cost: NOTHING,
  listCost: NOTHING,
  billed: NOTHING,
  computedCost: NOTHING,
  terms: [],
  charges: [],
  unpricedMeters: [],
  reason: 'not_billed',
};

function attemptOf({ priceAs, provider, model, startedAt, key, tags }: AttemptStart): PricedAttempt {
  const payer = { key: key.id, team: key.team, dimensions: tags.dimensions };
  return { provider: priceAs, account: provider, answered: model, asked: model, region: '', at: startedAt, payer };
}

function tagsOf({ tags = {} }: Call): TagSet {
  return {
    entity: null,
    sessionId: null,
    sessionPath: null,
    traceId: null,
    dimensions: new Map(Object.entries(tags).map(([key, value]) => [key, { value, provenance: 'declared' }])),
    labels: [],
    paths: [],
    conflicts: [],
    overflow: new Map(),
    sent: [],
    warnings: [],
  };
}
