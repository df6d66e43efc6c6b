import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampMs } from '#std';
import { Fresh, SignInTimeout, type Perishable } from './fresh.ts';

const MINUTE_MS = 60_000;

/** A clock and an issuer of numbered tokens that live ten minutes, in the hands of the test. */
function world(timeoutMs = 60_000) {
  const pending: { resolve: (given: Perishable<string>) => void; reject: (error: Error) => void }[] = [];
  let now = 0;
  const clock = { now: () => now as TimestampMs, elapsedMs: () => now };
  const fetch = () =>
    new Promise<Perishable<string>>((resolve, reject) => {
      pending.push({ resolve, reject });
    });
  return {
    fresh: new Fresh(fetch, { clock, timeoutMs }),
    asked: () => pending.length,
    give: (at: number) =>
      pending[at]?.resolve({ value: `token ${at}`, expiresAt: (now + 10 * MINUTE_MS) as TimestampMs }),
    fail: (at: number) => pending[at]?.reject(new Error('down')),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('all who wait share one token, which is used until five minutes before its end', async () => {
  const { fresh, asked, give, pass } = world();
  const both = Promise.all([fresh.get(), fresh.get()]);
  give(0);
  assert.deepEqual(await both, ['token 0', 'token 0']);
  pass(4 * MINUTE_MS);
  assert.equal(await fresh.get(), 'token 0');
  assert.equal(asked(), 1);
});

test('in its last minutes a token is used while the next one comes', async () => {
  const { fresh, asked, give, pass } = world();
  const first = fresh.get();
  give(0);
  await first;
  pass(6 * MINUTE_MS);
  assert.equal(await fresh.get(), 'token 0');
  assert.equal(asked(), 2);
  give(1);
  await new Promise(setImmediate);
  assert.equal(await fresh.get(), 'token 1');
});

test('a renewal that fails is asked for again after a pause, and is nobody’s error while the old token works', async () => {
  const { fresh, asked, give, fail, pass } = world();
  const first = fresh.get();
  give(0);
  await first;
  pass(6 * MINUTE_MS);
  await fresh.get();
  fail(1);
  await new Promise(setImmediate);
  assert.equal(await fresh.get(), 'token 0');
  assert.equal(asked(), 2);
  pass(11_000);
  assert.equal(await fresh.get(), 'token 0');
  assert.equal(asked(), 3);
  give(2);
  await new Promise(setImmediate);
  assert.equal(await fresh.get(), 'token 2');
});

test('a token at its end is waited for, and its failure is the caller’s', async () => {
  const { fresh, give, fail, pass } = world();
  const first = fresh.get();
  give(0);
  await first;
  pass(9.6 * MINUTE_MS);
  const next = fresh.get();
  fail(1);
  await assert.rejects(next, /down/);
});

test('nobody waits longer than connecting may take', async () => {
  const { fresh } = world(5);
  await assert.rejects(fresh.get(), SignInTimeout);
});
