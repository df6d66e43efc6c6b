import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#std';
import { bind } from './bind.ts';
import { keptLog, tempDir } from './sample.fixture.ts';
import { openStore, type Store } from './store.ts';

let dir: Awaited<ReturnType<typeof tempDir>>;
let store: Store;

before(async () => {
  dir = await tempDir();
  store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock });
});

after(async () => {
  await store.close();
  await dir[Symbol.asyncDispose]();
});

test('any text comes back from the engine as it was bound', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom("' OR 1=1 --", '\\', "\\'", '{a:String}', '$&', '\0'),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(text), async (one, many) => {
      const rows = await store.query('SELECT {one:String} AS one, {many:Array(String)} AS many', { one, many });
      assert.deepEqual(rows, [{ one, many }]);
    }),
    { numRuns: 60 },
  );
});

test('numbers, money, flags and absence keep their type', async () => {
  const rows = await store.query(
    `SELECT {n:Float64} AS n, {u:UInt64} AS u, toString({m:Int128}) AS m, {f:Bool} AS f, {z:Nullable(String)} AS z,
      toString({t:DateTime64(3, 'UTC')}) AS t`,
    { n: -1.5, u: 7, m: -(2n ** 100n), f: true, z: null, t: '2026-11-21 10:00:00.123' },
  );
  assert.deepEqual(rows, [{ n: -1.5, u: 7, m: String(-(2n ** 100n)), f: true, z: null, t: '2026-11-21 10:00:00.123' }]);
});

test('a placeholder without a value and a value without a placeholder are broken invariants', () => {
  assert.throws(() => bind('SELECT {a:String}', {}), /the query parameter a has no value/);
  assert.throws(() => bind('SELECT 1', { b: 'x' }), /the query has no placeholder for b/);
});
