import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openRowFile } from './row-file.ts';
import { tempDir } from './sample.fixture.ts';

const LARGE = 'x'.repeat(3 * 1024 * 1024);
const BATCHES = [['a'], ['a', 'b'.repeat(1024 * 1024 - 1), 'c', LARGE, 'd'], ['short'], []];

for (const [where, openFiles] of [
  ['has no name', undefined],
  ['keeps its name where the system shows no open files, until it is closed', '/nowhere'],
] as const) {
  test(`the file of rows has exactly the rows of the last batch, and ${where}`, async () => {
    await using dir = await tempDir();
    const file = await openRowFile(dir.path, openFiles);
    for (const rows of BATCHES) {
      await file.fill(rows.map((row) => Buffer.from(row)));
      assert.equal(readFileSync(file.path, 'utf8'), rows.map((row) => `${row}\n`).join(''));
      assert.equal(readdirSync(dir.path).length, openFiles === undefined ? 0 : 1);
      await file.empty();
    }
    await file.close();
    assert.deepEqual(readdirSync(dir.path), []);
  });
}
