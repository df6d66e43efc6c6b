import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/operate/security.md');

test('every attack on the page names a test that is there', () => {
  const rows =
    readFileSync(PAGE, 'utf8')
      .split('## What was tried')[1]
      ?.split('\n')
      .filter((line) => line.startsWith('| ')) ?? [];
  assert.ok(rows.length > 25, `${rows.length} rows`);
  for (const row of rows.slice(1)) {
    const [, path = '', name] = /\]\(\.\.\/\.\.\/([\w./-]+\.test\.ts)\)(?:: `([^`]+)`)?/.exec(row) ?? [];
    assert.notEqual(path, '', row);
    const text = readFileSync(join(ROOT, path), 'utf8');
    if (name !== undefined) assert.ok(text.includes(name), `${path} has no test "${name}"`);
  }
});

test('every file of tests here is on the page', () => {
  const page = readFileSync(PAGE, 'utf8');
  const own = globSync('*.test.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'page.test.ts');
  for (const file of own) assert.ok(page.includes(`tests/security/${file}`), file);
});
