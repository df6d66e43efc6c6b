import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listFiles, moduleOf, readText, readTree } from './tree.ts';

const CONTRACT =
  /^\/\*\*\n \* Is: .+\n(?: \* .+\n)*? \* Owns: .+\n(?: \* .+\n)*? \* Holds: .+\n(?: \* .+\n)*? \* Fails: .+\n(?: \* .+\n)*? \*\/\n/;

const modules = [...new Set(listFiles(/^src\/[^/]+\/.*\.ts$/).map(moduleOf))];

test('every module has a door', () => {
  assert.deepEqual(
    modules.filter((module) => !listFiles(/^src\//).includes(`src/${module}/index.ts`)),
    [],
  );
});

test('every door opens with what it is, what it owns and not, what it holds and how it fails', () => {
  const { imports } = JSON.parse(readText('package.json')) as { imports: Record<string, string> };
  const doors = Object.values(imports).map((path) => path.replace('./', ''));
  const wanting = doors
    .filter((door) => door.startsWith('src/') && listFiles(/^src\//).includes(door))
    .filter((door) => {
      const contract = CONTRACT.exec(readText(door))?.[0];
      return contract === undefined || !/\bNot:/.test(contract);
    });
  assert.deepEqual(wanting, []);
});

test('a door only names what it hands out', () => {
  const wrong = readTree(/^src\/[^/]+\/index\.ts$/).filter(({ code }) =>
    /export \*|\bfunction\b|\bconst\b|\bclass\b/.test(code),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test('the code map of ARCHITECTURE.md has every module', () => {
  const page = readText('ARCHITECTURE.md');
  assert.deepEqual(
    modules.filter((module) => !page.includes(`\`${module}`) && !page.includes(`src/${module}`)),
    [],
  );
});
