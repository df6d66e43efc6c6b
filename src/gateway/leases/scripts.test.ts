import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { startRedis, withoutRedis } from '#world';
import { BIRTH_SCRIPT, LEASE_SCRIPT, picoOfScript, scriptAmount } from './scripts.ts';

const amounts = fc.oneof(
  fc.bigInt({ min: 0n, max: 3_000_000_000_000n }),
  fc.bigInt({ min: 0n, max: 9_000_000_000n * 10n ** 12n }),
);

test('an amount is written and read back to the pico-dollar', () => {
  fc.assert(fc.property(amounts, (pico) => picoOfScript(scriptAmount(pico)) === pico));
  assert.deepEqual([scriptAmount(-5n), scriptAmount(0n), scriptAmount(10n ** 12n + 7n)], ['0:0', '0:0', '1:7']);
});

test('Redis leases what is left, exact to the pico-dollar at any size', { skip: withoutRedis }, async () => {
  const server = await startRedis();
  const redis = new Redis(server.url);
  try {
    await redis.eval(BIRTH_SCRIPT, 1, 'born');
    const others = fc.array(amounts, { maxLength: 4 });
    const given = fc.record({ own: amounts, others, limit: amounts, least: amounts, slice: amounts });
    await fc.assert(
      fc.asyncProperty(given, async ({ own, others: held, limit, least, slice }) => {
        await redis.del('share');
        for (const [at, amount] of held.entries()) await redis.hset('share', `n${at}`, scriptAmount(amount));
        const bid = [own, least, least + slice, limit].map(scriptAmount);
        const [ours = '', leastText = '', most = '', limitText = ''] = bid;
        const terms = [leastText, most, limitText, '0', 'channel', 'wanted'];
        const answer = await redis.eval(LEASE_SCRIPT, 2, 'share', 'born', 'me', ours, '', ...terms);
        assert.ok(Array.isArray(answer));
        const elsewhere = held.reduce((sum, one) => sum + one, 0n);
        const left = limit - own - elsewhere;
        const room = left > 0n ? left : 0n;
        const bought = room < least ? 0n : room < least + slice ? room : least + slice;
        assert.deepEqual([answer[2], answer[3]].map(String).map(picoOfScript), [own + bought, elsewhere]);
        const kept = await redis.hget('share', 'me');
        assert.equal(picoOfScript(kept ?? '0:0'), own + bought);
      }),
      { numRuns: 200 },
    );
  } finally {
    redis.disconnect();
    await server.close();
  }
});
