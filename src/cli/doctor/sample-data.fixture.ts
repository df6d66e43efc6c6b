import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openAccounts, writeSnapshot } from '#accounts';
import {
  closeEntry,
  closeInDoubt,
  correctionEntry,
  openDataDir,
  openEntry,
  openJournal,
  parseEntry,
  standingOf,
  type AttemptStart,
  type EntryRecord,
  type Journal,
} from '#ledger';
import { openEntryReader, readEntries } from '#ledger/read';
import { boundariesIn, createShipper, openStore, quarantineIn } from '#ledger/store';
import { systemClock, type TimestampMs } from '#std';
import { picoUsd, type CallId, type RatedCost, type TagSet, type Usage } from '#terms';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Small, so that the journal has several files. */
const SEGMENT_BYTES = 12 * 1024;

export const ATTEMPTS = 24;

/** A data directory as a stopped server leaves it: journal, store, control plane; no fault in it. */
export async function makeDataDir(firstCall = 1): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-doctor-sample-'));
  const data = await openDataDir(dir);
  const { nodeId, journalDir, storeDir } = data;
  const journal = await openJournal({ dir: journalDir, nodeId, clock: systemClock, segmentBytes: SEGMENT_BYTES });
  await record(journal, firstCall);
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
  shipper.wake(journal.durable().seq);
  await shipper.idle();
  await shipper.close();
  await store.close();
  await journal.close();
  const accounts = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  await accounts.bootstrap({});
  await writeSnapshot(join(dir, 'control-snapshot.json'), await accounts.snapshot());
  await accounts.close();
  data.release();
  return dir;
}

/** A copy of it for one test to damage. */
export function copyDataDir(t: TestContext, original: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-doctor-copy-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(original, dir, { recursive: true });
  return dir;
}

async function record(journal: Journal, firstCall: number): Promise<void> {
  const written: EntryRecord[] = [];
  for (let number = 1; number <= ATTEMPTS; number += 1) {
    const start = { ...startOf(number), callId: callIdOf(number + firstCall - 1) };
    const attempt = `${start.callId}.${start.attempt}`;
    await journal.begin(attempt, openEntry(start));
    const entry = entryOf(number, start);
    await journal.settle(attempt, entry);
    written.push(parseEntry(JSON.parse(entry)));
  }
  await journal.begin('taken-back.1', openEntry(startOf(99)));
  await journal.cancel('taken-back.1');
  for (const original of written.slice(3, 6)) await correct(journal, original);
}

/** One more correction, in the journal of the node itself, of a call that is in the journal of a node it adopted. */
export async function correctElsewhere(
  dir: string,
  { call, in: journalDir }: { call: number; in: string },
): Promise<void> {
  const entries = Array.from(readEntries(journalDir), ({ body }) => parseEntry(JSON.parse(body.toString())));
  const [original, ...corrections] = entries.filter(({ callId }) => callId === callIdOf(call));
  if (original === undefined) throw new Error(`there is no call ${call} in ${journalDir}`);
  const data = await openDataDir(dir);
  const journal = await openJournal({ dir: data.journalDir, nodeId: data.nodeId, clock: systemClock });
  const { entryId, entry } = correctionEntry({
    original,
    standing: standingOf(original, corrections),
    postedAt: systemClock.now(),
    reason: 'repriced',
    rated: ratedOf(80),
    meters: { input: 80 },
    priceBook: 'book-3',
  });
  await journal.append(entryId, entry);
  await journal.close();
  data.release();
}

/** Twice, so that there is a second correction; the entry that was in doubt is resolved by the first. */
async function correct(journal: Journal, original: EntryRecord): Promise<void> {
  const corrections: EntryRecord[] = [];
  for (const tokens of [40, 60]) {
    const { entryId, entry } = correctionEntry({
      original,
      standing: standingOf(original, corrections),
      postedAt: systemClock.now(),
      reason: 'repriced',
      rated: ratedOf(tokens),
      meters: { input: tokens },
      priceBook: 'book-2',
    });
    await journal.append(entryId, entry);
    corrections.push(parseEntry(JSON.parse(entry)));
  }
}

const DAY_MS = 86_400_000;

function callIdOf(number: number): CallId {
  return `call_${String(number).padStart(32, '0')}` as CallId;
}

function startOf(number: number): AttemptStart {
  return {
    callId: callIdOf(number),
    attempt: 1,
    startedAt: (Date.parse('2026-03-01T10:00:00Z') + (number % 4) * DAY_MS) as TimestampMs,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: number % 2 === 0,
    key: { id: 'key_1', name: 'first key', team: number % 3 === 0 ? 'core' : '', owner: '' },
    tags: tagsOf(number),
    requestModel: 'gpt-4o',
    route: '',
    provider: number % 5 === 0 ? 'sandbox' : 'openai',
    priceAs: 'openai',
    region: '',
    model: number % 2 === 0 ? 'gpt-4o' : 'o3',
    reserved: picoUsd(900_000_000n),
  };
}

function entryOf(number: number, start: AttemptStart): string {
  if (number === 5) return closeInDoubt(openEntry(start), start.startedAt, 'gateway_crashed');
  const tokens = number * 10;
  const usage: Usage = {
    meters: { input: tokens },
    origin: number === 7 ? 'estimated' : 'reported',
    raw: `{"prompt_tokens":${tokens}}`,
  };
  return closeEntry(openEntry(start), start, {
    endedAt: (start.startedAt + 300) as TimestampMs,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: `chatcmpl-${number}`,
    last: true,
    responseModel: start.model,
    latencyMs: 300,
    firstByteMs: 20,
    usage,
    rated: number === 6 ? UNPRICED : { ...ratedOf(tokens), state: number === 7 ? 'estimated' : 'exact' },
    priceBook: 'book-1',
  });
}

const UNPRICED: RatedCost = {
  state: 'unpriced',
  cost: null,
  listCost: null,
  billed: null,
  computedCost: null,
  terms: [],
  charges: [],
  unpricedMeters: ['input'],
  reason: 'model_without_price',
};

function ratedOf(tokens: number): RatedCost {
  const amount = picoUsd(BigInt(tokens) * 2_500_000n);
  return {
    state: 'exact',
    cost: amount,
    listCost: amount,
    billed: amount,
    computedCost: amount,
    terms: [],
    charges: [
      { meter: 'input', quantity: tokens, unitPrice: { amount: '2.5', per: 1_000_000 }, amount, priceRow: 'p/m#input' },
    ],
    unpricedMeters: [],
  };
}

function tagsOf(number: number): TagSet {
  const dimensions: [string, string][] = number % 4 === 0 ? [] : [['feature', number % 2 === 0 ? 'search' : 'chat']];
  return {
    entity: number % 3 === 0 ? { type: 'customer', id: 'acme' } : null,
    sessionId: null,
    sessionPath: null,
    traceId: null,
    dimensions: new Map(dimensions.map(([key, value]) => [key, { value, provenance: 'declared' }])),
    labels: number % 5 === 0 ? ['beta', 'batch'] : [],
    paths: number % 7 === 0 ? ['US/California', 'US/Texas'] : [],
    conflicts: [],
    overflow: new Map(),
    sent: [],
    warnings: [],
  };
}
