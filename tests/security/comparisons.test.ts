import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** `token === given`, `given !== secret`: a comparison that ends at the first letter that differs. */
const COMPARISON = /([\w.?]+)\s*[!=]==\s*([^\s;,)]+)/g;
const SECRET = /(?:^|\.|[a-z])(?:token|secret|password|adminKey|apiKey|credential|bearer)$/i;
/** What tells whether there is one at all, or what kind of word stands there, gives nothing away. */
const HARMLESS = /^(?:null|undefined|typeof|['"`\d])/;

function comparesSecret(line: string): boolean {
  return Array.from(line.matchAll(COMPARISON)).some(([, left = '', right = '']) => {
    if (HARMLESS.test(right)) return false;
    return SECRET.test(left) || SECRET.test(right);
  });
}

test('no secret in plain text is compared: it is hashed and looked up, or compared in constant time', () => {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !/\.(?:test|fixture)\.ts$/.test(file));
  assert.ok(files.length > 300, `${files.length} files`);
  const found = files.flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (comparesSecret(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(found, []);
  for (const line of ['if (token === given)', 'given !== config.adminKey', 'known.secret === other.secret'])
    assert.ok(comparesSecret(line), line);
});

test('the one place that compares hashes of passwords does it in constant time', () => {
  const text = readFileSync(join(ROOT, 'src/accounts/members/password.ts'), 'utf8');
  assert.match(text, /return timingSafeEqual\(/);
});
