import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '#terms';
import { listFiles, readText, readTree } from './tree.ts';

test('docs/errors.md and the table of errors have the same codes with the same statuses', () => {
  const rows = readText('docs/errors.md').matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| .+ \| .+ \|$/gm);
  const described = Array.from(rows, ([, code = '', status]) => [code, Number(status)] as const);
  const real = Object.entries(ERRORS).map(([code, { status }]) => [code, status] as const);
  const byCode = (a: readonly [string, number], b: readonly [string, number]): number => (a[0] < b[0] ? -1 : 1);
  assert.deepEqual(described.toSorted(byCode), real.toSorted(byCode));
});

test('every error code is used', () => {
  const sources = readTree(/^src\/(?!terms\/errors).*(?<!\.test)\.ts$/);
  assert.deepEqual(
    Object.keys(ERRORS).filter((code) => !sources.some(({ text }) => text.includes(`'${code}'`))),
    [],
  );
});

test('every link from a page to a file leads somewhere', () => {
  const files = new Set(listFiles(/./));
  const folders = new Set(
    [...files].flatMap((path) => path.split('/').map((_, at, parts) => parts.slice(0, at).join('/'))),
  );
  const broken = [...files]
    .filter((path) => path.endsWith('.md'))
    .flatMap((page) =>
      Array.from(readText(page).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g), ([, link = '']) => {
        const target = new URL(link, `file:///${page}`).pathname.slice(1).replace(/\/$/, '');
        return files.has(target) || folders.has(target) ? [] : [`${page} → ${link}`];
      }).flat(),
    );
  assert.deepEqual(broken, []);
});
