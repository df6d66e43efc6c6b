import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

type Rule = { readonly id: string; readonly files: readonly string[]; readonly tests: readonly string[] };

/** Each rule begins with its number in bold letters; behind a dash stand the tests that hold it: files, and names in italics. */
function readRules(): readonly Rule[] {
  const text = readFileSync(join(import.meta.dirname, 'SPEC.md'), 'utf8');
  return text.split(/^(?=\*\*[A-Z]\d+\. )/m).flatMap((piece) => {
    const id = /^\*\*([A-Z]\d+)\. /.exec(piece)?.[1];
    if (id === undefined) return [];
    const rule = (piece.split(/^#/m)[0] ?? '').replaceAll(/\s+/g, ' ');
    return {
      id,
      files: Array.from(rule.matchAll(/`([\w/.-]+\.test\.ts)`/g), ([, file = '']) => file),
      tests: Array.from(rule.matchAll(/(?<=[\s—])_(?=\S)(.+?)(?<=\S)_(?=[\s,;.)]|$)/g), ([, name = '']) => name),
    };
  });
}

const rules = readRules();
const paths = globSync(['src/**/*.test.ts', 'tests/**/*.test.ts'], { cwd: ROOT });

/** The text of a file that the page names by its path, or of all that have the name. */
function textOf(file: string): string {
  const named = paths.filter((path) => path === file || basename(path) === file);
  assert.ok(named.length > 0, `SPEC.md names ${file}, which is not there`);
  return named.map((path) => readFileSync(join(ROOT, path), 'utf8').replaceAll("\\'", "'")).join('\n');
}

test('every rule of SPEC.md has a number of its own', () => {
  const ids = rules.map(({ id }) => id);
  assert.ok(ids.length > 70);
  assert.deepEqual(
    ids.filter((id, at) => ids.indexOf(id) !== at),
    [],
  );
});

test('every rule of SPEC.md names tests that are there', () => {
  const without = rules.filter(({ files, tests }) => files.length === 0 && tests.length === 0).map(({ id }) => id);
  assert.deepEqual(without, []);
  const missing = rules.flatMap(({ id, files, tests }) => {
    // A rule may go on with the tests of the file that the one before it names.
    const texts = (files.length > 0 ? files : paths).map(textOf);
    const isThere = (name: string): boolean =>
      texts.some((text) => name.split('…').every((part) => text.includes(part.trim())));
    return tests.filter((name) => !isThere(name)).map((name) => `${id}: ${name}`);
  });
  assert.deepEqual(missing, []);
});
