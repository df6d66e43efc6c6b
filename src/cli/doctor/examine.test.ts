import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Session } from 'chdb';
import { adoptNode, careForFiles } from '#ledger/backup';
import { followWithChain } from '#ledger/chain';
import type { Finding } from '#ledger/check';
import { openStore } from '#ledger/store';
import { systemClock } from '#std';
import { until } from '#world';
import { checkDataDir, examine, type ExamineOptions } from './examine.ts';
import { ATTEMPTS, copyDataDir, correctElsewhere, makeDataDir } from './sample-data.fixture.ts';

const OPTIONS: ExamineOptions = {
  compare: 'sums',
  adminKey: null,
  totalMs: 3_600_000,
  clock: systemClock,
  clickHouse: null,
};

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

let sound = '';
before(async () => {
  sound = await makeDataDir();
});
after(() => rmSync(sound, { recursive: true, force: true }));

/** Rule and place of what was found, without notices. */
function faultsOf(findings: readonly Finding[]): readonly string[] {
  return findings
    .filter(({ level }) => level === 'fault')
    .map(({ rule, place }) => `${rule} ${place.file ?? ''} ${place.seq ?? ''}`.trim());
}

function damage(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

async function changeStore(dir: string, statement: string): Promise<void> {
  const session = new Session(join(dir, 'store', 'chdb'));
  try {
    await session.queryAsync(statement);
  } finally {
    session.close();
  }
}

async function chainEntries(dir: string): Promise<void> {
  const { node_id: nodeId }: { node_id: string } = JSON.parse(readFileSync(join(dir, 'node.json'), 'utf8'));
  const chain = followWithChain({ dir, nodeId, epoch: 1, log: SILENT });
  chain.wake(ATTEMPTS + 6);
  await until('the entries to be chained', 20_000, async () => chain.state().seq === ATTEMPTS + 6 || undefined);
  await chain.close();
}

test('a sound data directory has no finding, and the figures say what was looked at', async () => {
  const { findings, skipped, checked } = await examine(sound, { ...OPTIONS, compare: 'rows' });
  assert.deepEqual({ findings, skipped }, { findings: [], skipped: [] });
  const figures = Object.assign({}, ...checked.map(({ figures: some }) => some));
  const entries = ATTEMPTS + 6;
  assert.deepEqual(
    { entries: figures.entries, calls: figures.calls, shipped: figures.shipped, compared: figures.compared_rows },
    { entries, calls: ATTEMPTS, shipped: entries, compared: entries },
  );
  assert.ok(figures.files > 2);
  assert.ok(figures.breakdowns > 10);
});

test('looking changes nothing', async (t) => {
  const dir = copyDataDir(t, sound);
  const shown = (): readonly string[] =>
    ['.', 'journal', 'store']
      .flatMap((folder) => readdirSync(join(dir, folder)).map((name) => join(dir, folder, name)))
      // The locks, and memory that SQLite's processes share.
      .filter((path) => !/lock\.(?:db|json)$|-shm$/.test(path) && statSync(path).isFile())
      .map((path) => `${path} ${statSync(path).mtimeMs} ${statSync(path).size}`);
  const earlier = shown();
  await examine(dir, OPTIONS);
  assert.deepEqual(shown(), earlier);
});

test('a folder that is no data directory is said to be none', async (t) => {
  const dir = copyDataDir(t, sound);
  rmSync(join(dir, 'journal'), { recursive: true });
  await assert.rejects(checkDataDir(dir), /is no data directory/);
});

test('a flipped bit in a frame is named with file and offset, and what follows is still read', async (t) => {
  const dir = copyDataDir(t, sound);
  const file = join(dir, 'journal', '0000000002.log');
  const at = readFileSync(file).indexOf('"cost_state":"exact"');
  damage(file, (bytes) => bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at));
  const { findings, checked } = await examine(dir, OPTIONS);
  const [chain, sequence] = findings;
  assert.equal(chain?.rule, 'journal.chain');
  assert.equal(chain?.place.file, 'journal/0000000002.log');
  assert.ok(Number(chain?.place.offset) < at && Number(chain?.place.offset) > at - 4096);
  assert.equal(sequence?.rule, 'journal.sequence');
  assert.match(sequence?.what ?? '', /^entry \d+ is missing$/);
  assert.equal(checked[0]?.figures['entries'], ATTEMPTS + 6 - 1);
});

/** What is advised about findings whose rule begins so. */
function adviceOn(findings: readonly Finding[], rules: string): readonly string[] {
  return [...new Set(findings.filter(({ rule }) => rule.startsWith(rules)).map(({ todo }) => todo))];
}

test('a journal that is not as it was written is told first, and nobody is advised to make the store again of it', async (t) => {
  const dir = copyDataDir(t, sound);
  rmSync(join(dir, 'journal', '0000000002.log'));
  const { findings } = await examine(dir, OPTIONS);
  assert.equal(findings[0]?.rule, 'journal.files');
  for (const rules of ['store.', 'reports.']) {
    const [advice, ...others] = adviceOn(findings, rules);
    assert.deepEqual([advice?.includes('keep the store'), others], [true, []], rules);
  }
});

test('a store that differs from the journal is made again only where the chain says that the journal is as it was', async (t) => {
  const dir = copyDataDir(t, sound);
  await chainEntries(dir);
  await changeStore(dir, 'ALTER TABLE entries UPDATE cost = cost + 1 WHERE seq = 9 SETTINGS mutations_sync=1');
  const store = await examine(dir, OPTIONS);
  assert.equal(store.checked.find(({ what }) => what === 'chain')?.figures['chained'], ATTEMPTS + 6);
  assert.match(adviceOn(store.findings, 'store.sums').join(), /delete the folder store/);
  damage(join(dir, 'chain', 'digests.bin'), (bytes) => bytes.writeUInt8(bytes.readUInt8(32) ^ 1, 32));
  const both = await examine(dir, OPTIONS);
  assert.deepEqual(faultsOf(both.findings).slice(0, 1), ['chain.intact  9']);
  assert.match(adviceOn(both.findings, 'store.sums').join(), /keep the store/);
});

for (const [what, statement, rule] of [
  ['an amount that is off by a pico-dollar', 'ALTER TABLE entries UPDATE cost = cost + 1 WHERE seq = 9', 'store.sums'],
  ['an id that is another', "ALTER TABLE entries UPDATE upstream_id = 'x' WHERE seq = 9", 'store.rows'],
  ['a row that is missing', 'ALTER TABLE entries DELETE WHERE seq = 9', 'store.shipping'],
  ['a row that is there twice', 'INSERT INTO entries SELECT * FROM entries WHERE seq = 9', 'store.shipping'],
  ['a price line that is another', 'ALTER TABLE entries UPDATE charges = [] WHERE seq = 9', 'store.sums'],
] as const) {
  test(`${what} in the store is named with its entry`, async (t) => {
    const dir = copyDataDir(t, sound);
    await changeStore(dir, `${statement}${statement.startsWith('ALTER') ? ' SETTINGS mutations_sync=1' : ''}`);
    const { findings } = await examine(dir, { ...OPTIONS, compare: rule === 'store.rows' ? 'rows' : 'sums' });
    const rules = new Set(findings.map((finding) => finding.rule));
    assert.ok(rules.has(rule), [...rules].join());
    assert.ok(findings.some(({ rule: found, place }) => found === 'store.rows' && place.seq === 9));
  });
}

test('an entry that stands aside is named with its reason’s file, and not missed in the sums', async (t) => {
  const dir = copyDataDir(t, sound);
  await changeStore(dir, 'ALTER TABLE entries DELETE WHERE seq = 9 SETTINGS mutations_sync=1');
  mkdirSync(join(dir, 'store', 'quarantine'), { mode: 0o700 });
  writeFileSync(join(dir, 'store', 'quarantine', '9.json'), '{}', { mode: 0o600 });
  const file = join(dir, 'store', 'shipping.json');
  const shipping: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...shipping, quarantined: 1 }));
  assert.deepEqual(faultsOf(await checkDataDir(dir)), ['store.quarantine store/quarantine/9.json 9']);
});

test('a store that is said to have more than the journal is named', async (t) => {
  const dir = copyDataDir(t, sound);
  const file = join(dir, 'store', 'shipping.json');
  const shipping: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...shipping, through: 1000 }));
  assert.ok(faultsOf(await checkDataDir(dir)).includes('store.shipping store/shipping.json'));
});

test('a store that is gone or cannot be opened is named, and nothing is set aside or made', async (t) => {
  const dir = copyDataDir(t, sound);
  for (const name of readdirSync(join(dir, 'store', 'chdb', 'metadata')))
    rmSync(join(dir, 'store', 'chdb', 'metadata', name), { recursive: true });
  assert.deepEqual(faultsOf(await checkDataDir(dir)), ['store.shipping store/chdb']);
  rmSync(join(dir, 'store', 'chdb'), { recursive: true });
  assert.deepEqual(faultsOf(await checkDataDir(dir)), ['store.shipping store/chdb']);
  assert.equal(
    readdirSync(join(dir, 'store')).some((name) => name.startsWith('chdb')),
    false,
  );
});

test('a node that was adopted is looked at too, and is part of what reports add up to', async (t) => {
  const [dir, other] = [copyDataDir(t, sound), await makeDataDir()];
  t.after(() => rmSync(other, { recursive: true, force: true }));
  const { nodeId } = await adoptNode({ from: other, dataDir: dir, clock: systemClock });
  const store = await openStore({ path: join(dir, 'store') }, { log: SILENT, clock: systemClock });
  const care = careForFiles({
    dataDir: dir,
    nodeId: '',
    storeDir: join(dir, 'store'),
    store,
    journal: { compress: true, retentionDays: null },
    released: () => 0,
    clock: systemClock,
    log: SILENT,
  });
  await care.adopted.idle();
  await care.segments.tend();
  await care.close();
  await store.close();
  const { findings, skipped, checked } = await examine(dir, { ...OPTIONS, compare: 'rows' });
  assert.deepEqual({ findings, skipped }, { findings: [], skipped: [] });
  assert.deepEqual(
    checked.flatMap(({ what, figures }) => (what === 'store' ? [figures['compared_rows']] : [])),
    [ATTEMPTS + 6, ATTEMPTS + 6],
  );
  assert.ok(readdirSync(join(dir, 'journal')).includes('0000000001.log.zst'));
  const file = `adopted/${nodeId}/journal/0000000001.log`;
  damage(join(dir, file), (bytes) => bytes.writeUInt8(bytes.readUInt8(900) ^ 1, 900));
  assert.ok(faultsOf(await checkDataDir(dir)).includes(`journal.chain ${file}`));
});

test('entries without their detail, whose retention is over, are no fault; a cost that went with it is', async (t) => {
  const dir = copyDataDir(t, sound);
  const store = await openStore({ path: join(dir, 'store') }, { log: SILENT, clock: systemClock });
  const { entries } = await store.retireDetail(systemClock.now(), new AbortController().signal);
  assert.ok(entries > 0);
  await store.close();
  const { findings, skipped } = await examine(dir, { ...OPTIONS, compare: 'rows' });
  assert.deepEqual({ findings, skipped }, { findings: [], skipped: [] });
  const where = "WHERE seq = 1 AND cost > 0 AND call_id = '' SETTINGS mutations_sync=2";
  await changeStore(dir, `ALTER TABLE entries UPDATE cost = cost + 1 ${where}`);
  const faults = faultsOf((await examine(dir, OPTIONS)).findings);
  assert.ok(faults.includes('store.rows store 1') && faults.includes('store.sums'), faults.join(', '));
});

test('corrections of calls that an adopted node recorded go on where its journal left off, and one of no call at all is missed', async (t) => {
  const [dir, other] = [copyDataDir(t, sound), await makeDataDir(1_001)];
  t.after(() => rmSync(other, { recursive: true, force: true }));
  const { nodeId } = await adoptNode({ from: other, dataDir: dir, clock: systemClock });
  const journal = join(dir, 'adopted', nodeId, 'journal');
  // The second of them was corrected twice by its own node.
  for (const call of [1_001, 1_004]) await correctElsewhere(dir, { call, in: journal });
  const broken = async (): Promise<readonly string[]> =>
    (await examine(dir, OPTIONS)).findings
      .filter(({ rule }) => rule.startsWith('calls.'))
      .map(({ rule, what, place }) => `${rule} ${place.entryId?.slice(-12)}: ${what}`);
  assert.deepEqual(await broken(), []);
  // Numbered as if nothing had been corrected before.
  await correctElsewhere(dir, { call: 1_004, in: journal });
  assert.deepEqual(await broken(), [
    'calls.unique correction.3: it is entry 32 too',
    'calls.corrections correction.3: it is number 3 of its entry, and 4 comes next',
  ]);
  rmSync(join(dir, 'adopted'), { recursive: true });
  assert.ok((await broken()).includes('calls.corrections correction.1: what it corrects is not there'));
});

test('looked at in depth, every entry is compared with what was written down when it was chained', async (t) => {
  const dir = copyDataDir(t, sound);
  await chainEntries(dir);
  const { findings, checked } = await examine(dir, { ...OPTIONS, compare: 'rows' });
  assert.deepEqual(findings, []);
  assert.equal(checked.find(({ what }) => what === 'chain')?.figures['chained'], ATTEMPTS + 6);
  const heads = join(dir, 'chain', 'heads.jsonl');
  const other = (digit: string): string => (digit === '0' ? '1' : '0');
  writeFileSync(heads, readFileSync(heads, 'utf8').replace(/[0-9a-f](?=[0-9a-f]{20})/, other));
  const found = await examine(dir, { ...OPTIONS, compare: 'rows' });
  assert.deepEqual(
    found.findings.map(({ level, rule }) => `${level} ${rule}`),
    ['fault chain.intact'],
  );
});
