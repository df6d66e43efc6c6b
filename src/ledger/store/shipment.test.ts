import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '#terms';
import { openPassingReader } from '../journal/entry-reader.ts';
import { openSample, sampleDeps, scratchDir } from '../journal/sample.fixture.ts';
import { readNext, readRange, rowsOf } from './shipment.ts';

const LARGE = LIMITS.shipmentBytes / 2 + 1;

test('a range that takes several answers of the journal is whole, though each answer lies in the memory of the one before', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  const bodies = ['a', 'b', 'c'].map((letter) => JSON.stringify({ text: letter.repeat(LARGE) }));
  for (const [at, body] of bodies.entries()) await journal.settle(`call_${at}`, body);
  const reader = openPassingReader(dir);
  const found = readRange(reader, { first: 1, last: 3 });
  assert.deepEqual(
    found?.entries.map(({ seq, body }) => [seq, body.toString() === bodies[seq - 1]]),
    [1, 2, 3].map((seq) => [seq, true]),
  );
  assert.equal(readNext(reader, 0, 3)?.last, 1);
  assert.equal(readRange(reader, { first: 2, last: 4 }), null);
  reader.close();
});

test('a row is the text of its entry behind the node and the number, however long the one before was', () => {
  const text = (length: number): string => JSON.stringify({ a: 'x'.repeat(length) });
  const bodies = [text(3), text(100_000), text(7), '{"a":"\\ud800"}', text(300_000)];
  const rows = rowsOf(
    'node "a"',
    bodies.map((body, at) => ({ seq: 9 + at, body: Buffer.from(body) })),
  );
  assert.equal(rows.length, bodies.length);
  assert.deepEqual(
    Array.from(rows, (row) => row.toString()),
    bodies.map((body, at) => `{"node_id":"node \\"a\\"","seq":${9 + at},${body.replace('\\ud800', '\ufffd').slice(1)}`),
  );
});
