import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TimestampMs } from '#std';
import { eraseInSegment } from '../erase/erase-segment.ts';
import { retireSegment } from '../journal/retired.ts';
import { NODE_ID, openSample, sampleDeps, sampleEntry, sampleIntent, scratchDir } from '../journal/sample.fixture.ts';
import { readSealed } from '../journal/sealed-segment.ts';
import { compressAll } from '../journal/written.fixture.ts';
import { Findings } from './finding.ts';
import { JournalWalk, type JournalFigures, type JournalWalkDeps } from './journal-walk.ts';
import { checkOpenAttempts } from './open-attempts.ts';

const ATTEMPTS = 40;

type Walked = { readonly found: readonly string[]; readonly seqs: readonly number[]; readonly figures: JournalFigures };

function walk(dir: string, deps: Partial<JournalWalkDeps> = {}): Walked {
  const findings = new Findings();
  const journal = new JournalWalk({ dir, nodeId: NODE_ID, writer: 'stopped', ...deps, findings });
  const seqs = Array.from(journal.entries(), ({ seq }) => seq);
  const found = findings.list().map(({ level, rule, what, place }) => `${level} ${rule} ${place.file ?? ''}: ${what}`);
  return { found, seqs, figures: journal.figures() };
}

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** A journal of several files; an attempt runs through all of them, and one was taken back. */
async function makeJournal(t: TestContext): Promise<string> {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 1500 });
  await journal.begin('long', sampleIntent('long'));
  await journal.begin('back', sampleIntent('back'));
  await journal.cancel('back');
  for (let number = 1; number < ATTEMPTS; number += 1) {
    await journal.begin(`a${number}`, sampleIntent(`a${number}`));
    await journal.settle(`a${number}`, sampleEntry(`a${number}`));
  }
  await journal.settle('long', sampleEntry('long'));
  await journal.close();
  return dir;
}

function segmentsOf(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .toSorted();
}

test('a sound journal has no finding, and every entry is handed out', async (t) => {
  const dir = await makeJournal(t);
  const { found, seqs, figures } = walk(dir);
  assert.deepEqual(found, []);
  assert.deepEqual(seqs, numbers(1, ATTEMPTS));
  assert.ok(figures.files > 3);
  assert.deepEqual(
    [figures.firstSeq, figures.lastSeq, figures.synced?.seq, figures.open.size],
    [1, ATTEMPTS, ATTEMPTS, 0],
  );
});

test('a flipped bit is found wherever it is, and the entries of the other files are still read', async (t) => {
  const dir = await makeJournal(t);
  const whole = walk(dir);
  for (const name of segmentsOf(dir)) {
    const bytes = readFileSync(join(dir, name));
    for (let at = 0; at < bytes.length; at += 41) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
      writeFileSync(join(dir, name), flipped);
      const { found, seqs } = walk(dir);
      assert.ok(
        found.some((one) => one.startsWith('fault')),
        `${name} at ${at}`,
      );
      assert.ok(seqs.length >= whole.seqs.length - 20, `${name} at ${at}: ${seqs.length} entries`);
    }
    writeFileSync(join(dir, name), bytes);
  }
});

test('what follows a damaged frame in its file is read, and the missing entry is named', async (t) => {
  const dir = await makeJournal(t);
  const [first = ''] = segmentsOf(dir);
  const bytes = readFileSync(join(dir, first));
  const at = bytes.indexOf('"cost_state"');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(join(dir, first), bytes);
  const { found, seqs } = walk(dir);
  assert.deepEqual(seqs, numbers(2, ATTEMPTS));
  assert.equal(found.length, 2);
  assert.match(
    found[0] ?? '',
    /^fault journal\.chain journal\/0000000001\.log: the \d+ bytes of a frame are not what was written/,
  );
  assert.equal(found[1], 'fault journal.sequence journal/0000000001.log: entry 1 is missing');
});

test('a file that is missing, a file in the place of another, and a file cut short are named', async (t) => {
  const dir = await makeJournal(t);
  const [, second = '', third = ''] = segmentsOf(dir);
  const kept = join(dir, '..', `${second}.kept-${process.pid}`);
  t.after(() => rmSync(kept, { force: true }));
  cpSync(join(dir, second), kept);
  const size = statSync(join(dir, second)).size;

  truncateSync(join(dir, second), size - 3);
  assert.match(
    walk(dir).found.join('\n'),
    /fault journal\.chain journal\/0000000002\.log: the bytes from here on end inside a frame/,
  );
  rmSync(join(dir, second));
  assert.match(walk(dir).found.join('\n'), /fault journal\.files journal\/0000000002\.log: the file is missing/);
  cpSync(join(dir, third), join(dir, second));
  assert.match(
    walk(dir).found.join('\n'),
    /fault journal\.files journal\/0000000002\.log: its header says it is file 3/,
  );
});

test('early files that are gone are missed, unless it is written down that their retention was over', async (t) => {
  const dir = await makeJournal(t);
  const [first, second] = [readSealed(dir, 1), readSealed(dir, 2)];
  const kept = readFileSync(join(dir, '0000000001.log'));
  rmSync(join(dir, '0000000001.log'));
  assert.deepEqual(walk(dir).found, ['fault journal.files journal/0000000001.log: the file is missing']);
  writeFileSync(join(dir, '0000000001.log'), kept);

  for (const sealed of [first, second]) retireSegment(dir, sealed, { cost: '0', retiredAt: '2026-03-01T00:00:00Z' });
  const { found, seqs, figures } = walk(dir);
  assert.deepEqual({ found, seqs }, { found: [], seqs: numbers(second.lastSeq + 1, ATTEMPTS) });
  assert.deepEqual([figures.retiredSeq, figures.firstSeq], [second.lastSeq, second.lastSeq + 1]);
  rmSync(join(dir, '0000000003.log'));
  assert.match(walk(dir).found[0] ?? '', /fault journal\.files journal\/0000000003\.log: the file is missing/);
  writeFileSync(join(dir, 'retired.jsonl'), '{}\n');
  assert.match(walk(dir).found[0] ?? '', /fault journal\.files journal\/retired\.jsonl/);
});

test('compressed files are read like plain ones, and damage in one is found wherever it is', async (t) => {
  const dir = await makeJournal(t);
  const plain = readFileSync(join(dir, '0000000001.log'));
  compressAll(dir);
  const { found, seqs, figures } = walk(dir);
  assert.deepEqual({ found, seqs }, { found: [], seqs: numbers(1, ATTEMPTS) });
  const file = join(dir, '0000000001.log.zst');
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 13) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
    writeFileSync(file, flipped);
    const damaged = walk(dir);
    assert.match(damaged.found[0] ?? '', /^fault journal\.chain journal\/0000000001\.log: /, `at ${at}`);
    assert.ok(damaged.seqs.includes(ATTEMPTS));
  }
  // A crash between the two: both are there.
  writeFileSync(file, bytes);
  writeFileSync(join(dir, '0000000001.log'), plain, { mode: 0o600 });
  assert.deepEqual([walk(dir).found, walk(dir).figures.files], [[], figures.files]);
});

test('a file that was written anew without what was erased is sound, and its damage is found', async (t) => {
  const dir = await makeJournal(t);
  const erase = (body: Buffer): Buffer => Buffer.from(body.toString().replace('grüße', '…'));
  assert.ok(eraseInSegment(dir, 1, erase).entries > 0);
  const { found, seqs } = walk(dir);
  assert.deepEqual({ found, seqs }, { found: [], seqs: numbers(1, ATTEMPTS) });
  const file = join(dir, '0000000001.log');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, bytes.length - 3));
  assert.match(walk(dir).found[0] ?? '', /fault journal\.chain journal\/0000000001\.log: the bytes from here on/);
});

test('a journal of another node is named', async (t) => {
  const dir = await makeJournal(t);
  assert.match(
    walk(dir, { nodeId: 'node_other' }).found[0] ?? '',
    /it belongs to node_0123456789abcdef, not to node_other/,
  );
});

test('acknowledged entries that are gone are told from bytes that never were acknowledged', async (t) => {
  const dir = await makeJournal(t);
  const newest = join(dir, segmentsOf(dir).at(-1) ?? '');
  const bytes = readFileSync(newest);
  writeFileSync(newest, 'torn', { flag: 'a' });
  assert.deepEqual(
    walk(dir).found.map((one) => one.split(' journal/')[0]),
    ['notice journal.chain'],
  );
  for (const cut of [1, 20, 200]) {
    writeFileSync(newest, bytes.subarray(0, bytes.length - cut));
    assert.match(
      walk(dir).found.join('\n'),
      /fault journal\.mark .*: entries up to 40 were synced, and the file cannot be read that far/,
    );
  }
  rmSync(newest);
  assert.match(
    walk(dir).found.join('\n'),
    /fault journal\.mark .*: entries up to 40 were synced into a file that is missing/,
  );
});

test('leftovers are notices, each by name', async (t) => {
  const dir = await makeJournal(t);
  for (const name of ['torn-1.bin', '0000000099.log.tmp', 'notes.txt']) writeFileSync(join(dir, name), '');
  assert.deepEqual(
    walk(dir).found.map((one) => one.split(':')[0]),
    ['0000000099.log.tmp', 'notes.txt', 'torn-1.bin'].map((name) => `notice journal.files journal/${name}`),
  );
  const whileRunning = walk(dir, { writer: 'running' }).found.join();
  assert.equal(whileRunning.includes('.tmp'), false, 'a running server makes its next file ahead of time');
});

test('a running journal is read up to what is synced now, and what runs is no fault until it runs too long', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.begin('a', sampleIntent('a'));
  await journal.settle('a', sampleEntry('a'));
  const startedAt = '2026-03-01T10:00:00.000Z';
  await journal.begin('b', JSON.stringify({ effective_at: startedAt }));
  await journal.begin('c', sampleIntent('c'));
  await journal.settle('c', sampleEntry('c'));
  const { found, seqs, figures } = walk(dir, { writer: 'running' });
  assert.deepEqual({ found, seqs, open: [...figures.open.keys()] }, { found: [], seqs: [1, 2], open: ['b'] });

  const openFor = (ms: number, writer: 'running' | 'stopped'): readonly string[] => {
    const findings = new Findings();
    const now = (Date.parse(startedAt) + ms) as TimestampMs;
    checkOpenAttempts({ open: figures.open, writer, now, totalMs: 60_000 }, findings);
    return findings.list().map(({ level, what }) => `${level}: ${what}`);
  };
  assert.deepEqual(openFor(100_000, 'running'), []);
  assert.deepEqual(openFor(200_000, 'running'), ['fault: attempt b is open for 200 s, and no call takes that long']);
  assert.deepEqual(openFor(200_000, 'stopped'), [
    'notice: 1 attempts were running when the server ended; the next start writes them down as in doubt',
  ]);
});
