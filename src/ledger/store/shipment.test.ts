import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '#terms';
import { openPassingReader } from '../journal/entry-reader.ts';
import { openSample, sampleDeps, scratchDir } from '../journal/sample.fixture.ts';
import { readNext, readRange, RowMaker } from './shipment.ts';

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

test('rows are as long as they were told to be, in memory that the next ones take', () => {
  const maker = new RowMaker('node "a"');
  const row = (seq: number, body: string): string => maker.rowsOf([{ seq, body: Buffer.from(body) }]).toString();
  assert.equal(row(7, '{"a":"long enough"}'), '{"node_id":"node \\"a\\"","seq":7,"a":"long enough"}');
  assert.equal(row(8, '{"a":1}'), '{"node_id":"node \\"a\\"","seq":8,"a":1}');
  const huge = JSON.stringify({ a: 'x'.repeat(LARGE * 3) });
  assert.equal(row(9, huge).length, huge.length + '"node_id":"node \\"a\\"","seq":9,'.length);
  assert.equal(row(10, '{"a":"\\ud800"}'), '{"node_id":"node \\"a\\"","seq":10,"a":"\ufffd"}');
});
