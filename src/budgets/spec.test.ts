import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

test('every rule of SPEC.md has a test, and every numbered test a rule', async () => {
  const folder = import.meta.dirname;
  const rules = [...(await readFile(join(folder, 'SPEC.md'), 'utf8')).matchAll(/^- \*\*(B\d+)\*\*/gm)].map(
    ([, id]) => id,
  );
  const files = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const tested = new Set(texts.flatMap((text) => [...text.matchAll(/\btest\(\s*['`](B\d+) /g)].map(([, id]) => id)));
  assert.deepEqual(tested, new Set(rules));
});
