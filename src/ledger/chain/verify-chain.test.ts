import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readEntries } from '../journal/entry-reader.ts';
import { chainAll, sampleBodies, scratchDir, writeJournal } from './chained.fixture.ts';
import { verifyChain } from './verify-chain.ts';

const ENTRIES = 60;
const PER_DAY = 20;

async function chained(t: TestContext): Promise<{ dir: string; bodies: string[] }> {
  const dir = scratchDir(t);
  const bodies = sampleBodies(ENTRIES, PER_DAY);
  await writeJournal(dir, bodies);
  chainAll(dir, ENTRIES);
  return { dir, bodies };
}

/** Another journal in the place of the one that was chained, its frames and checksums as they should be. */
async function replaceJournal(t: TestContext, dir: string, bodies: readonly string[]): Promise<void> {
  const other = scratchDir(t);
  await writeJournal(other, bodies);
  rmSync(join(dir, 'journal'), { recursive: true });
  cpSync(join(other, 'journal'), join(dir, 'journal'), { recursive: true });
}

test('a journal that nobody touched agrees with every head, every digest and every root', async (t) => {
  const { dir } = await chained(t);
  const { broken, first, last, compared, rootAt } = verifyChain(dir);
  assert.deepEqual({ broken, first, last, rootAt }, { broken: null, first: 1, last: ENTRIES, rootAt: null });
  assert.equal(compared.entries, ENTRIES);
  assert.equal(compared.roots, 3);
  assert.ok(compared.heads > 1);
});

test('a range of days is verified from the root before it to its own last', async (t) => {
  const { dir } = await chained(t);
  const { broken, first, last } = verifyChain(dir, { from: '2026-11-02', to: '2026-11-02' });
  assert.deepEqual({ broken, first, last }, { broken: null, first: PER_DAY + 1, last: 2 * PER_DAY });
});

test('days of which there are no entries verify nothing, and that is said', async (t) => {
  const { dir } = await chained(t);
  const none = (range: { from?: string; to?: string }): boolean => verifyChain(dir, range).noneOfRange;
  for (const range of [{ from: '2027-01-01' }, { to: '2020-01-01' }, { from: '2026-11-04', to: '2026-12-31' }])
    assert.equal(none(range), true, JSON.stringify(range));
  for (const range of [{}, { from: '2020-01-01' }, { to: '2026-11-01' }, { from: '2026-11-03', to: '2027-01-01' }])
    assert.equal(none(range), false, JSON.stringify(range));
  rmSync(join(dir, 'chain'), { recursive: true });
  assert.equal(none({ to: '2020-01-01' }), true, 'without roots too');
});

test('an entry that was changed is named, wherever it is, with all checksums of the files made right', async (t) => {
  const { dir, bodies } = await chained(t);
  for (const seq of [1, 27, ENTRIES]) {
    const changed = bodies.with(seq - 1, (bodies[seq - 1] ?? '').replace('"cost":"', '"cost":"9'));
    await replaceJournal(t, dir, changed);
    assert.deepEqual(verifyChain(dir).broken, { seq, through: seq, why: 'the entry was changed' });
  }
});

test('entries that were taken out, put in, or put in another order are found', async (t) => {
  const { dir, bodies } = await chained(t);
  const [first = '', second = ''] = bodies;
  for (const [changed, seq] of [
    [bodies.toSpliced(30, 1), 31],
    [bodies.toSpliced(30, 0, first), 31],
    [bodies.with(0, second).with(1, first), 1],
  ] as const) {
    await replaceJournal(t, dir, changed);
    assert.equal(verifyChain(dir).broken?.seq, seq);
  }
  await replaceJournal(t, dir, bodies.slice(0, -3));
  const why = 'the entries are missing from the journal';
  assert.deepEqual(verifyChain(dir).broken, { seq: ENTRIES - 2, through: ENTRIES, why });
});

test('a byte changed anywhere in the sealed files of the journal is found', async (t) => {
  const { dir } = await chained(t);
  const journal = join(dir, 'journal');
  const files = readdirSync(journal).filter((file) => file.endsWith('.log'));
  for (const name of files.toSorted().slice(0, -1)) {
    const path = join(journal, name);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 997) {
      const tampered = Buffer.from(bytes);
      tampered[at] = (tampered[at] ?? 0) ^ 0x20;
      writeFileSync(path, tampered);
      assert.notEqual(verifyChain(dir).broken, null, `byte ${at} of ${name}`);
    }
    writeFileSync(path, bytes);
  }
  assert.equal(verifyChain(dir).broken, null);
});

test('of a file that is cut short, the first entry that cannot be read is named', async (t) => {
  const { dir } = await chained(t);
  const journal = join(dir, 'journal');
  const [, second = assert.fail('there are files')] = readdirSync(journal).toSorted();
  const path = join(journal, second);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length >> 1));
  const { broken, first, last } = verifyChain(dir);
  assert.ok(last > first);
  assert.deepEqual({ seq: broken?.seq, through: broken?.through }, { seq: last + 1, through: ENTRIES });
});

test('whoever changes an entry and writes the whole chain anew is found by a root that is kept elsewhere', async (t) => {
  const { dir, bodies } = await chained(t);
  const [root] = verifyRoots(dir);
  assert.equal(verifyChain(dir, { root }).rootAt, PER_DAY);
  const changed = bodies.with(4, (bodies[4] ?? '').replace('"cost":"', '"cost":"9'));
  await replaceJournal(t, dir, changed);
  rmSync(join(dir, 'chain'), { recursive: true });
  chainAll(dir, ENTRIES);
  assert.equal(verifyChain(dir).broken, null, 'nothing in the directory itself can tell');
  assert.match(verifyChain(dir, { root }).broken?.why ?? '', /never had this root/);
});

function verifyRoots(dir: string): [string, ...string[]] {
  const [first = assert.fail('there is a root'), ...rest] = readFileSync(join(dir, 'chain', 'roots.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => String(JSON.parse(line).root));
  return [first, ...rest];
}

test('a change of what was written down of the chain is found too', async (t) => {
  const { dir } = await chained(t);
  for (const name of ['heads.jsonl', 'roots.jsonl', 'digests.bin']) {
    const path = join(dir, 'chain', name);
    const bytes = readFileSync(path);
    const at = name === 'digests.bin' ? 41 : bytes.indexOf(name === 'heads.jsonl' ? '"head":"' : '"root":"') + 12;
    const tampered = Buffer.from(bytes);
    tampered[at] = tampered[at] === 0x61 ? 0x62 : 0x61;
    writeFileSync(path, tampered);
    assert.notEqual(verifyChain(dir).broken, null, name);
    writeFileSync(path, name === 'digests.bin' ? '' : 'nonsense\n');
    assert.equal(verifyChain(dir).broken === null, name === 'digests.bin', name);
    writeFileSync(path, bytes);
  }
});

test('without what was written down there is nothing to compare with, and that is said', async (t) => {
  const { dir } = await chained(t);
  rmSync(join(dir, 'chain'), { recursive: true });
  const { broken, compared, last } = verifyChain(dir);
  assert.deepEqual(
    { broken, compared, last },
    { broken: null, compared: { entries: 0, heads: 0, roots: 0 }, last: ENTRIES },
  );
});

test('what is left after the oldest files were removed is verified from there', async (t) => {
  const { dir } = await chained(t);
  const journal = join(dir, 'journal');
  const [oldest = assert.fail('there are files')] = readdirSync(journal).toSorted();
  rmSync(join(journal, oldest));
  const { broken, first, last } = verifyChain(dir);
  assert.ok(first > 1);
  assert.deepEqual({ broken, last }, { broken: null, last: ENTRIES });
  assert.equal(Array.from(readEntries(journal, { after: first - 1 })).length, ENTRIES - first + 1);
});

test('a line that a crash cut short does not keep the chain from being read', async (t) => {
  const { dir } = await chained(t);
  const path = join(dir, 'chain', 'heads.jsonl');
  appendFileSync(path, '{"seq":99,"he');
  assert.ok(statSync(path).size > 0);
  assert.equal(verifyChain(dir).broken, null);
});
