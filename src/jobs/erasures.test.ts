import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openAccounts, type Accounts } from '#accounts';
import { closeEntry, openDataDir, openEntry, openJournal, type DataDir, type RotatableJournal } from '#ledger';
import { ErasureLog, eraseJournalsInThread, eraseQuarantine, eraseRows, type ErasureSubject } from '#ledger/erase';
import { openEntryReader, readEntries } from '#ledger/read';
import { boundariesIn, createShipper, ENTRIES, openStore, quarantineIn, type Shipper, type Store } from '#ledger/store';
import { systemClock } from '#std';
import { ApportionError, ZERO_USD, type CallId } from '#terms';
import type { ErasureRequest, Erasures } from './erasure-request.ts';
import { createErasures, type ErasureDeps } from './erasures.ts';
import { createTurns } from './turns.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const REASON = 'request 4711';

let dir: string;
let data: DataDir;
let journal: RotatableJournal;
let store: Store;
let shipper: Shipper;
let accounts: Accounts;
let recorded = 0;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'apportion-erasures-'));
  data = await openDataDir(dir);
  journal = await openJournal({ dir: data.journalDir, nodeId: data.nodeId, clock: systemClock });
  store = await openStore({ path: data.storeDir }, { log: SILENT, clock: systemClock });
  shipper = createShipper({
    nodeId: data.nodeId,
    reader: openEntryReader(data.journalDir),
    store,
    boundaries: boundariesIn(data.storeDir),
    quarantine: quarantineIn(data.storeDir),
    clock: systemClock,
    log: SILENT,
  });
  accounts = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  await accounts.bootstrap({ adminKey: 'sk-ap-admin' });
});

after(async () => {
  await accounts.close();
  await shipper.close();
  await store.close();
  await journal.close();
  data.release();
  rmSync(dir, { recursive: true });
});

function startOf(customer: string, owner: string) {
  recorded += 1;
  const dimensions = new Map([['customer', { value: customer, provenance: 'declared' as const }]]);
  return {
    callId: `call_${String(recorded).padStart(32, '0')}` as CallId,
    attempt: 1,
    startedAt: systemClock.now(),
    cause: 'first' as const,
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    requestModel: 'm',
    route: '',
    model: 'm',
    provider: 'p',
    priceAs: 'p',
    region: '',
    reserved: null,
    key: { id: 'key_1', name: 'first', team: 'core', owner },
    tags: {
      entity: { type: 'customer', id: customer },
      sessionId: `of ${customer}`,
      sessionPath: null,
      traceId: null,
      dimensions,
      labels: [],
      paths: [],
      conflicts: [],
      overflow: new Map(),
      sent: [`customer:${customer}`],
      warnings: [],
    },
  };
}

type Start = ReturnType<typeof startOf>;

function entryOf(start: Start): string {
  return closeEntry(openEntry(start), start, {
    endedAt: start.startedAt,
    status: 'ok',
    httpStatus: 200,
    errorCode: '',
    upstreamId: 'x',
    last: true,
    responseModel: 'm',
    latencyMs: 1,
    firstByteMs: 1,
    usage: null,
    priceBook: 'b',
    rated: {
      state: 'exact',
      cost: ZERO_USD,
      listCost: ZERO_USD,
      billed: ZERO_USD,
      computedCost: ZERO_USD,
      terms: [],
      charges: [],
      unpricedMeters: [],
    },
  });
}

async function record(customer: string, owner = 'operations'): Promise<void> {
  const start = startOf(customer, owner);
  await journal.settle(`${start.callId}.1`, entryOf(start));
}

async function untilStored(): Promise<void> {
  shipper.wake(journal.durable().seq);
  await shipper.idle();
}

function deps(): ErasureDeps {
  return {
    log: new ErasureLog(dir),
    secret: data.secret,
    inTurn: createTurns(),
    alone: createTurns(),
    rotate: async () => void (await journal.rotate()),
    journals: () => [data.journalDir],
    eraseJournals: eraseJournalsInThread,
    untilStored,
    store: {
      eraseRows: (subject) => eraseRows(store, subject),
      removeAside: () => Promise.resolve(0),
      // When the engine removes its old files is its own affair, and takes it half a minute.
      replacedFiles: () => Promise.resolve([]),
      keepReplacedFiles: () => Promise.resolve(),
    },
    eraseQuarantine: (subject) => eraseQuarantine(data.storeDir, subject),
    forget: (request) => accounts.forget(request),
    audit: accounts.audit,
    clock: systemClock,
    tell: SILENT,
  };
}

function ofCustomer(value: string): ErasureRequest {
  return { subject: { kind: 'tag', key: 'customer', value }, reason: REASON, actor: 'admin_key' };
}

/** Resolves when everything that was asked for is done. */
async function allDone(erasures: Erasures): Promise<void> {
  for (let at = 0; at < 400; at += 1) {
    if (erasures.list().every(({ state }) => state === 'done')) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`not done: ${JSON.stringify(erasures.list())}`);
}

async function customersInStore(): Promise<string[]> {
  const rows = await store.query<{ id: string }>(
    `SELECT DISTINCT toString(entity_id) AS id FROM ${ENTRIES} ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

function filesWith(value: string): string[] {
  const folders = [data.journalDir, join(dir, 'erasures'), dir];
  return folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((file) => file.isFile() && readFileSync(join(folder, file.name)).includes(value))
      .map((file) => file.name),
  );
}

test('an erasure is recorded without the value, by a hash that is the same for the same value', async () => {
  await record('globex-canary');
  await record('initech');
  await untilStored();
  const erasures = createErasures(deps());
  const first = await erasures.request(ofCustomer('globex-canary'));
  await allDone(erasures);
  const again = await erasures.request(ofCustomer('globex-canary'));
  await allDone(erasures);
  const other = await erasures.request(ofCustomer('nobody'));
  await allDone(erasures);
  await erasures.close();
  assert.deepEqual([first.kind, first.key, first.reason, first.entries, first.rows], ['tag', 'customer', REASON, 1, 1]);
  assert.equal(again.value_hash, first.value_hash);
  assert.notEqual(other.value_hash, first.value_hash);
  assert.deepEqual(filesWith('globex-canary'), []);
  assert.deepEqual(await customersInStore(), ['(erased)', 'initech']);
  const { records } = await accounts.audit.list({ limit: 10, cursor: null });
  const of = records.filter(({ target }) => target === first.id).map(({ action }) => action);
  assert.deepEqual(of, ['erasure.done', 'erasure.begin']);
});

test('a reason that names the value is refused, and nothing is written down', async () => {
  const erasures = createErasures(deps());
  const { length } = erasures.list();
  const isRefused = (error: unknown): boolean => error instanceof ApportionError && error.code === 'invalid_field';
  await assert.rejects(erasures.request({ ...ofCustomer('initech'), reason: 'as INITECH asked' }), isRefused);
  assert.equal(erasures.list().length, length);
  await erasures.close();
});

test('a session, and the owner of keys, are erased as tags are', async () => {
  await record('hooli', 'bertram-canary');
  const erasures = createErasures(deps());
  const subjects: ErasureSubject[] = [
    { kind: 'session', value: 'of hooli' },
    { kind: 'key_owner', value: 'bertram-canary' },
  ];
  for (const subject of subjects) await erasures.request({ subject, reason: REASON, actor: 'admin_key' });
  await allDone(erasures);
  await erasures.close();
  assert.deepEqual([...filesWith('of hooli'), ...filesWith('bertram-canary')], []);
  const [row] = await store.query(
    `SELECT toString(entity_id) AS id, session_id, toString(key_owner) AS owner FROM ${ENTRIES} WHERE entity_id = 'hooli'`,
  );
  assert.deepEqual(row, { id: 'hooli', session_id: '(erased)', owner: '(erased)' });
});

test('a call that runs is erased when it has ended', async () => {
  const start = startOf('umbrella-canary', 'operations');
  await journal.begin(`${start.callId}.1`, openEntry(start));
  const erasures = createErasures(deps());
  const asked = erasures.request(ofCustomer('umbrella-canary'));
  while (erasures.list()[0]?.waiting !== 1) await new Promise((resolve) => setImmediate(resolve));
  await journal.settle(`${start.callId}.1`, entryOf(start));
  const erased = await asked;
  await allDone(erasures);
  await erasures.close();
  assert.deepEqual([erased.entries, erased.waiting], [1, 0]);
  assert.deepEqual(filesWith('umbrella-canary'), []);
});

test('an erasure that was stopped at any step is done by the next process', async () => {
  let stopAt = 0;
  for (let ended = false; !ended;) {
    stopAt += 1;
    const name = `stopped-canary-${stopAt}`;
    await record(name);
    const begun = stoppedAt(deps(), stopAt);
    const first = createErasures(begun.deps);
    const asked = first.request(ofCustomer(name));
    ended = await Promise.race([asked.then(() => true), begun.stopped.then(() => false)]);
    await first.close();
    await asked;
    const second = createErasures(deps());
    await allDone(second);
    await second.close();
    assert.deepEqual(filesWith(name), [], `stopped at step ${stopAt}`);
    assert.ok(!(await customersInStore()).includes(name));
  }
  assert.ok(stopAt > 8, `${stopAt} steps`);
  const entries = Array.from(readEntries(data.journalDir));
  assert.equal(entries.length, recorded, 'no entry was lost or added');
});

/** Fails from a step on, as a process does that is gone: before or after each thing that it does. */
function stoppedAt(whole: ErasureDeps, stopAt: number) {
  let count = 0;
  const stopped = Promise.withResolvers<void>();
  const pass = (): void => {
    count += 1;
    if (count < stopAt) return;
    stopped.resolve();
    throw new Error('the process is gone');
  };
  const around =
    <A extends readonly unknown[], T>(effect: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      pass();
      const made = await effect(...given);
      pass();
      return made;
    };
  return {
    deps: {
      ...whole,
      rotate: around(whole.rotate),
      eraseJournals: around(whole.eraseJournals),
      untilStored: around(whole.untilStored),
      store: { ...whole.store, eraseRows: around(whole.store.eraseRows), removeAside: around(whole.store.removeAside) },
      forget: around(whole.forget),
    },
    stopped: stopped.promise,
  };
}
