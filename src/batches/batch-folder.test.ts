import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TimestampMs } from '#std';
import { makeCallId, picoUsd, type TagSet } from '#terms';
import { openBatchFolder } from './batch-folder.ts';
import type { BatchRecord, LineRow } from './batch-record.ts';

function tagsOf(customer: string): TagSet {
  return {
    entity: { type: 'customer', id: customer },
    sessionId: null,
    sessionPath: 'a/b',
    traceId: null,
    dimensions: new Map([['customer', { value: customer, provenance: 'declared' }]]),
    labels: ['beta'],
    paths: ['US/California'],
    conflicts: [{ key: 'env', value: 'dev', source: 'header' }],
    overflow: new Map([['n', '17']]),
    sent: [`customer:${customer}`],
    warnings: [],
  };
}

const AT = 1_790_000_000_000 as TimestampMs;

const RECORD: BatchRecord = {
  batch: 'batch_1/../x',
  provider: 'openai',
  dialect: 'openai',
  endpoint: '/v1/chat/completions',
  callId: makeCallId(AT, Buffer.alloc(10, 1)),
  attempt: 1,
  createdAt: AT,
  afterSeq: 7,
  key: { id: 'k', name: 'night', team: 't', owner: 'o' },
  tags: tagsOf('acme'),
  priceAs: 'openai',
  region: '',
  reserved: picoUsd(12_345n),
  lines: 2,
};

function folderOf(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'batches-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('a batch and its lines are read back as they were written, and leave nothing but their name', async (t) => {
  const dir = folderOf(t);
  const own = tagsOf('globex');
  const rows: LineRow[] = [
    { customId: 'a', model: 'm', reserved: picoUsd(5n), tags: own },
    { customId: 'b\n"', model: 'm', reserved: null, tags: null },
    { customId: 'c', model: 'n', reserved: picoUsd(6n), tags: own },
  ];
  await openBatchFolder(dir).create(RECORD, rows);
  const folder = openBatchFolder(dir);
  assert.deepEqual(await folder.readOpen(), [RECORD]);
  assert.deepEqual([...(await folder.readRows(RECORD)).values()], rows);
  await folder.end(RECORD);
  assert.deepEqual([await folder.readOpen(), await folder.readEnded()], [[], [RECORD]]);
  await folder.finish(RECORD);
  const files = readdirSync(join(dir, 'batches'), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  );
  const texts = files.map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'));
  assert.deepEqual(texts.length, 1);
  assert.doesNotMatch(texts.join(), /acme|globex|night/);
});

test('an erasure removes what uploaded files said, and names the batches that still do', async (t) => {
  const folder = openBatchFolder(folderOf(t));
  const line = { customId: 'a', model: 'm', maxInputTokens: 1, maxOutputTokens: 2, choices: 1 };
  const file = { provider: 'openai', id: 'file-1' };
  const other = { provider: 'openai', id: 'file-2' };
  await folder.saveInput(file, [{ ...line, fields: { metadata: '{"tags":{"customer":"acme"}}' } }]);
  await folder.saveInput(other, [{ ...line, fields: null }]);
  await folder.create(RECORD, []);
  const forgotten = await folder.forget((text) => text === 'acme' || text.includes('"acme"'));
  assert.deepEqual(forgotten, { rows: 1, stillNamedBy: [`batch ${RECORD.batch}`] });
  assert.deepEqual([folder.hasInput(file), folder.hasInput(other)], [false, true]);
  assert.deepEqual(await folder.readInput(other), [{ ...line, fields: null }]);
});
