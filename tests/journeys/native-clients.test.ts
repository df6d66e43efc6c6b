import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ALL_PROVIDERS, FREE_CALLS, NATIVE_CALLS, pico, startWorld, type NativeCall, type World } from '#world';
import { listeningClients, timeless, toldCost, withoutOurs, type Heard } from './heard.ts';
import { recorded, report, whenStored } from './record.ts';

type Read = { readonly answer: string; readonly heard: readonly Heard[] };

describe('the official clients through the gateway', () => {
  let world: World;

  before(async () => {
    // The second upstream answers what is compared, and nothing else.
    world = await startWorld({ providers: ALL_PROVIDERS, count: 2 });
  });
  after(() => world.close());

  const run = async (call: NativeCall, target: { url: string; key: string }): Promise<Read> => {
    const { clients, heard } = listeningClients(target);
    const parsed: unknown = await call.run(clients);
    const plain = JSON.stringify(parsed, (name, value: unknown) => (name === '_request_id' ? undefined : value));
    return { answer: timeless(withoutOurs(plain ?? '')), heard: await heard() };
  };
  const through = (call: NativeCall) => run(call, { url: world.gateway.url, key: world.gateway.adminKey });
  const direct = async (call: NativeCall) => {
    const [, other = world.upstream] = world.upstreams;
    return run(call, { url: other.origin, key: other.apiKey });
  };

  for (const call of NATIVE_CALLS) {
    test(`${call.name}: the same answer as without the gateway, recorded at what it was billed`, async () => {
      const expected = await direct(call);
      const earlier = recorded(world.gateway.dataDir).length;
      const read = await through(call);
      assert.equal(read.answer, expected.answer);

      const [heard] = read.heard;
      assert.ok(heard !== undefined && read.heard.length === 1);
      const bytes = timeless(withoutOurs(heard.body.toString('latin1')));
      assert.equal(bytes, timeless(expected.heard[0]?.body.toString('latin1') ?? ''));

      const billed = (await world.upstream.bill()).entries.at(-1);
      const [entry, ...more] = recorded(world.gateway.dataDir).slice(earlier);
      assert.ok(entry !== undefined && billed !== undefined && more.length === 0);
      assert.deepEqual(
        { model: entry.model, provider: entry.provider, cost: entry.cost, state: entry.state },
        { model: call.model, provider: call.provider, cost: billed.cost, state: 'exact' },
      );
      // Sound passes as it comes: its headers leave before the cost is known, and it has no place for a comment.
      if (heard.headers.get('content-type')?.startsWith('audio/') === true) return;
      const told = toldCost(heard);
      assert.deepEqual({ ...told, cost: pico(told.cost) }, { cost: billed.cost, state: 'exact' });
    });
  }

  for (const call of FREE_CALLS) {
    test(`${call.name}: the same answer as without the gateway, and nothing is billed`, async () => {
      const expected = await direct(call);
      const earlier = recorded(world.gateway.dataDir).length;
      const read = await through(call);
      assert.equal(read.answer, expected.answer);
      const costs = recorded(world.gateway.dataDir).slice(earlier);
      assert.deepEqual(new Set(costs.map(({ cost, state }) => `${cost} ${state}`)), new Set(['0 exact']));
    });
  }

  test('the reports come to the upstream’s bill', async () => {
    const entries = await whenStored(world.gateway);
    const { summary } = await report(world.gateway);
    const { entries: lines, total } = await world.upstream.bill();
    assert.equal(pico(summary.total_cost_exact), total);
    assert.equal(entries.filter(({ cost }) => cost !== 0n).length, lines.filter(({ cost }) => cost !== 0n).length);
    assert.equal(summary.unpriced_events, 0);
  });
});
