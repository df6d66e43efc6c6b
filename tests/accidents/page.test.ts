import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { readPage } from '../docs/page.ts';

const DOCS = new URL('../../docs/', import.meta.url);

const accidents = readPage('accidents.md').rows.map(({ cells }) => {
  const [id = '', , , here = ''] = cells;
  return {
    id,
    here,
    links: Array.from(here.matchAll(/\]\((\.\.\/(?:tests|src)\/[^)#]+\.test\.ts)\)/g), ([, link = '']) => link),
  };
});

test('the page has every accident of money, routes, tags, budgets, storage and trust once, in order', () => {
  const wanted = [...ids('A', 45), ...ids('B', 14), ...ids('C', 20), ...ids('D', 20), ...ids('E', 18), ...ids('F', 11)];
  assert.deepEqual(
    accidents.map(({ id }) => id),
    wanted,
  );
});

test('each accident names a file with a test of its name, or says why it cannot occur', () => {
  for (const { id, here, links } of accidents) {
    if (links.length === 0) assert.match(here, /^cannot occur: .{20,}/, id);
    for (const link of links) {
      const text = readFileSync(fileURLToPath(new URL(link, DOCS)), 'utf8');
      // A name may stand for two: "F3, F4: …".
      assert.match(
        text,
        new RegExp(`(?:test|describe)\\(\\s*['"\`](?:[A-F]\\d+, )*${id}(?:, [A-F]\\d+)*: `),
        `${id} in ${link}`,
      );
    }
  }
});

function ids(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
