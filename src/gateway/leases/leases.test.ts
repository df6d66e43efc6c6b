import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seededRandom, startRedis, until, withoutRedis, type RedisServer } from '#world';
import type { Budget } from '#budgets';
import { picoUsd } from '#terms';
import { budgetOf, CALL, openNode, type Held, type Node } from './node.fixture.ts';

const WAIT_MS = 60_000;

describe('budgets that several nodes share', { skip: withoutRedis }, () => {
  let redis: RedisServer;
  let made = 0;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());

  type World = { readonly nodes: readonly Node[]; readonly budget: Budget };

  /** Nodes with the same budget, of which nothing is spent. */
  async function withNodes(count: number, given: Partial<Budget>, run: (world: World) => Promise<void>): Promise<void> {
    made += 1;
    const budget = budgetOf({ id: `b${made}`, ...given });
    const nodes = await Promise.all(
      Array.from({ length: count }, (_, at) => openNode(redis.url, `node_${made}_${at}`)),
    );
    try {
      for (const node of nodes) await node.govern([budget]);
      await run({ nodes, budget });
    } finally {
      for (const node of nodes) await node.close();
    }
  }

  async function callAll(nodes: readonly Node[], calls: number): Promise<readonly Held[]> {
    const at = (index: number): Node => nodes[index % nodes.length] ?? assert.fail('a node');
    return Promise.all(Array.from({ length: calls }, (_, index) => at(index).call()));
  }

  function admitted(calls: readonly Held[]): readonly Held[] {
    return calls.filter(({ kind }) => kind === 'admitted');
  }

  async function levelOf(nodes: readonly Node[]): Promise<bigint> {
    const levels = await Promise.all(nodes.map((node) => node.level()));
    return levels.reduce((sum, one) => sum + one, 0n);
  }

  for (const [what, given] of Object.entries({
    'for ever': {},
    'each day': { window: { kind: 'day', count: 1, zone: 'Asia/Kathmandu' } },
    'of the last day': { window: { kind: 'rolling', lengthMs: 86_400_000 } },
    'of the expected cost': { mode: 'standard' },
    'each customer': { scope: [{ on: 'dimension', key: 'customer', values: { kind: 'each' } }] },
  } satisfies Record<string, Partial<Budget>>)) {
    test(`200 calls at once on two nodes against a budget that fits ten: ten are admitted (${what})`, async () => {
      await withNodes(2, given, async ({ nodes }) => {
        const calls = await callAll(nodes, 200);
        assert.equal(admitted(calls).length, 10);
        assert.equal(await levelOf(nodes), CALL * 10n);
        assert.deepEqual(new Set(calls.map(({ reason }) => reason)), new Set([null, 'exceeded']));
      });
    });
  }

  test('what a node has leased and does not need goes to the one that does, down to the last pico-dollar', async () => {
    await withNodes(3, { limit: picoUsd(CALL * 10n + 7n) }, async ({ nodes }) => {
      const [first, second, third] = nodes;
      assert.ok(first !== undefined && second !== undefined && third !== undefined);
      const early = await callAll([first], 8);
      for (const call of early.slice(0, 5)) await call.end(picoUsd(0n));
      assert.equal(await levelOf(nodes), CALL * 3n);
      assert.equal(admitted(await callAll([second], 30)).length, 7);
      assert.equal((await third.call({ bound: picoUsd(8n) })).kind, 'refused');
      assert.equal((await third.call({ bound: picoUsd(7n) })).kind, 'admitted');
    });
  });

  test('a lower limit holds for what comes after, on every node', async () => {
    await withNodes(2, {}, async ({ nodes, budget }) => {
      assert.equal(admitted(await callAll(nodes, 4)).length, 4);
      for (const node of nodes) await node.govern([{ ...budget, limit: picoUsd(CALL * 5n) }]);
      assert.equal(admitted(await callAll(nodes, 20)).length, 1);
    });
  });

  test('while Redis is away a node spends its lease or refuses, as the budget says; then all goes on', async () => {
    for (const outage of ['spend_lease', 'refuse'] as const) {
      await withNodes(2, { outage, limit: picoUsd(CALL * 100n) }, async ({ nodes }) => {
        assert.equal(admitted(await callAll(nodes, 4)).length, 4);
        await redis.kill();
        const refused = await until('a refusal', WAIT_MS, async () => {
          const calls = await callAll(nodes, 10);
          return calls.find(({ kind }) => kind !== 'admitted');
        });
        assert.equal(refused.reason, 'unreachable');
        if (outage === 'refuse') {
          await until('every call to be refused', WAIT_MS, async () =>
            admitted(await callAll(nodes, 2)).length === 0 ? true : undefined,
          );
        }
        await redis.start();
        await until('calls to be admitted again', WAIT_MS, async () =>
          admitted(await callAll(nodes, 2)).length === 2 ? true : undefined,
        );
        while (admitted(await callAll(nodes, 20)).length > 0);
        assert.equal(await levelOf(nodes), CALL * 100n);
      });
    }
  });

  test('Redis forgets all: what was spent before still counts', async () => {
    await withNodes(2, {}, async ({ nodes }) => {
      const [first, second] = nodes;
      assert.ok(first !== undefined && second !== undefined);
      assert.equal(admitted(await callAll([first], 6)).length, 6);
      await redis.kill();
      await redis.start();
      const calls = await until('calls to be judged', WAIT_MS, async () => {
        const some = await callAll([second], 30);
        return some.every(({ reason }) => reason !== 'unreachable') ? some : undefined;
      });
      assert.equal(admitted(calls).length, 4);
    });
  });

  test('whatever nodes do and Redis forgets, never more than the limit is spent and held', async (t) => {
    const seed = Number(process.env['APPORTION_TEST_SEED'] ?? Math.floor(Math.random() * 1e6));
    t.diagnostic(`APPORTION_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    await withNodes(3, { limit: picoUsd(CALL * 20n) }, async ({ nodes, budget }) => {
      const running: Held[] = [];
      for (let step = 0; step < 60; step += 1) {
        const calls = await callAll(nodes, random.between(1, 12));
        running.push(...admitted(calls));
        assert.ok((await levelOf(nodes)) <= budget.limit, `step ${step}`);
        while (running.length > 0 && random.between(0, 2) > 0) {
          const [ended] = running.splice(random.between(0, running.length - 1), 1);
          await ended?.end(picoUsd(random.between(0, 3) === 0 ? CALL / 7n : 0n));
        }
        if (random.between(0, 29) === 0) {
          await redis.kill();
          await redis.start();
        }
      }
      assert.ok((await levelOf(nodes)) <= budget.limit);
    });
  });
});
