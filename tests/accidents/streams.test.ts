import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ALL_PROVIDERS, startWorld, until, type Bill, type BillEntry, type Upstream, type World } from '#world';
import { ask as readReport, recorded, whenStored, type Recorded } from '../journeys/record.ts';
import { ask, leaveAfter, leaveAtOnce, STREAM_ROUTES, type StreamRoute } from './stream-routes.ts';

/** Each provider twice: one that stops its bill with the connection, one that is read to the end. */
const settings = ({ baseUrl, origin, apiKey }: Upstream) => {
  const url = { openai: baseUrl, anthropic: origin, gemini: origin };
  const named = (prefix: string, extra: object) =>
    Object.fromEntries(
      ALL_PROVIDERS.map((name) => [
        `${prefix}-${name}`,
        { preset: name, base_url: url[name], api_key: apiKey, ...extra },
      ]),
    );
  return {
    providers: {
      ...named('abort', { on_disconnect: 'abort' }),
      ...named('drain', { on_disconnect: 'drain' }),
      ...named('short', { on_disconnect: 'drain', drain: { max_ms: 150 } }),
      ...named('hasty', { timeouts: { first_byte_ms: 250, idle_ms: 250 } }),
    },
  };
};

const ENTRY_TIMEOUT_MS = 10_000;

describe('accidents of streams, disconnects and failures', () => {
  let world: World;

  before(async () => {
    world = await startWorld({ providers: [], config: settings });
  });
  after(() => world.close());

  const entriesOf = (callId: string) => recorded(world.gateway.dataDir).filter((entry) => entry.callId === callId);
  const entryOf = async (callId: string): Promise<Recorded> => {
    const [entry] = await until('the entry', ENTRY_TIMEOUT_MS, async () => {
      const found = entriesOf(callId);
      return found.length > 0 ? found : undefined;
    });
    assert.ok(entry !== undefined);
    return entry;
  };
  const billed = async (id: string): Promise<BillEntry | undefined> =>
    (await world.upstream.bill()).entries.find((entry) => entry.id === id);
  const settledBill = () =>
    until('the upstream to notice', ENTRY_TIMEOUT_MS, async (): Promise<Bill | undefined> => {
      const bill = await world.upstream.bill();
      return bill.entries.some(({ delivery }) => delivery === 'running') ? undefined : bill;
    });
  const outputOf = ({ meters }: Recorded) => (meters['output_text'] ?? 0) + (meters['output_reasoning'] ?? 0);
  const nextEntry = (earlier: number) =>
    until('the entry', ENTRY_TIMEOUT_MS, async () => recorded(world.gateway.dataDir)[earlier]);

  const partOf200 = (chunkDelayMs: number): string =>
    `chunk_delay=${chunkDelayMs} completion_tokens=200 reasoning_tokens=0 bills_on_abort=partial`;

  for (const route of STREAM_ROUTES) {
    const { name } = route;
    const streamed = (text: string, provider: string) =>
      route.request(text, { provider: `${provider}-${route.provider}`, mode: 'stream' });
    const whole = (text: string, provider: string) =>
      route.request(text, { provider: `${provider}-${route.provider}`, mode: 'whole' });

    test(`B1, B2: ${name}: a client that leaves after any piece has one entry with what was delivered`, async () => {
      for (const pieces of [1, 2, 4]) {
        const callId = await leaveAfter(world.gateway, streamed(`seed=9 ${partOf200(15)}`, 'abort'), pieces);
        const entry = await entryOf(callId);
        assert.deepEqual([entry.status, entry.countsCall], ['client_closed', true], `after ${pieces}`);
        assert.ok(['estimated', 'partial_exact', 'exact'].includes(entry.state), entry.state);
        assert.ok(outputOf(entry) > 0 && (entry.cost ?? 0n) > 0n, `after ${pieces}: ${JSON.stringify(entry.meters)}`);
        assert.equal(entriesOf(callId).length, 1);
      }
    });

    test(`B4: ${name}: a provider that bills the whole answer is read to its usage, one that stops is not`, async () => {
      const drained = await leaveAfter(world.gateway, streamed('seed=9 chunk_delay=10', 'drain'), 1);
      const full = await entryOf(drained);
      const line = await billed(full.upstreamId);
      assert.deepEqual([full.state, full.cost], ['exact', line?.cost]);
      assert.equal(line?.delivery, 'complete');
      // A piece each 0.2 s: a machine that is late to notice who left has still read but a part of the 200 tokens.
      const cutShort = streamed(`seed=9 ${partOf200(200)}`, 'abort');
      const aborted = await entryOf(await leaveAfter(world.gateway, cutShort, 1));
      await settledBill();
      const cut = await billed(aborted.upstreamId);
      assert.equal(cut?.delivery, 'broken');
      assert.ok(outputOf(aborted) > 0 && outputOf(aborted) < 200, `${outputOf(aborted)} of 200 tokens`);
    });

    test(`B4: ${name}: reading on for nobody has a limit`, async () => {
      const callId = await leaveAfter(world.gateway, streamed('seed=9 chunk_delay=200', 'short'), 1);
      const entry = await entryOf(callId);
      assert.equal(entry.status, 'client_closed');
      assert.ok(entry.state !== 'in_doubt' && (entry.cost ?? 0n) > 0n, `${entry.state} ${entry.cost}`);
      await settledBill();
      assert.equal((await billed(entry.upstreamId))?.delivery, 'broken');
    });

    test(`B5: ${name}: an answer that is no stream is read to its end, for nobody`, async () => {
      for (const provider of ['abort', 'drain']) {
        const earlier = recorded(world.gateway.dataDir).length;
        await leaveAtOnce(world.gateway, whole('seed=10 delay=250', provider), 120);
        const entry = await nextEntry(earlier);
        const line = await billed(entry.upstreamId);
        assert.deepEqual([entry.status, entry.state, entry.cost], ['client_closed', 'exact', line?.cost]);
      }
    });

    test(`B6: ${name}: an answer without usage is estimated, never nothing`, async () => {
      for (const request of [streamed, whole]) {
        const { status, callId } = await ask(world.gateway, request('seed=11 usage=none', 'abort'));
        const entry = await entryOf(callId);
        assert.deepEqual([status, entry.status, entry.state, entry.usageOrigin], [200, 'ok', 'estimated', 'estimated']);
        assert.ok(outputOf(entry) > 0 && (entry.cost ?? 0n) > 0n);
      }
    });

    test(`B7: ${name}: the text of an error inside an answer is no output`, async () => {
      const partial = 'seed=12 completion_tokens=200 reasoning_tokens=0 bills_on_abort=partial';
      const failed = await ask(world.gateway, streamed(`${partial} fault=error_mid_stream`, 'abort'));
      const cut = await ask(world.gateway, streamed(`${partial} fault=end_without_done`, 'abort'));
      const [withError, without] = [await entryOf(failed.callId), await entryOf(cut.callId)];
      assert.deepEqual([withError.status, withError.errorCode], ['upstream_error', 'error_in_answer']);
      assert.equal(outputOf(withError), outputOf(without));
      assert.ok(outputOf(withError) > 0 && (withError.cost ?? 0n) > 0n);
      // An error and nothing else is not billed.
      const only = await ask(world.gateway, streamed('seed=12 fault=error_first', 'abort'));
      const nothing = await entryOf(only.callId);
      assert.deepEqual([nothing.status, nothing.state, nothing.cost], ['upstream_error', 'exact', 0n]);
    });

    test(`B8: ${name}: a client that leaves before the first byte pays what its provider bills`, async () => {
      let earlier = recorded(world.gateway.dataDir).length;
      const { entries } = await world.upstream.bill();
      await leaveAtOnce(world.gateway, streamed('seed=13 delay=30000', 'abort'), 100);
      const stopped = await nextEntry(earlier);
      assert.deepEqual(
        [stopped.status, stopped.cost, stopped.state, stopped.reason],
        ['client_closed', 0n, 'estimated', 'given_up_before_answer'],
      );
      assert.equal((await world.upstream.bill()).entries.length, entries.length);
      earlier += 1;
      await leaveAtOnce(world.gateway, streamed('seed=13 delay=250', 'drain'), 100);
      const drained = await nextEntry(earlier);
      assert.deepEqual([drained.state, drained.cost], ['exact', (await billed(drained.upstreamId))?.cost]);
    });

    test(`B11: ${name}: a call that is lost after it was sent is in doubt or estimated, not free`, async () => {
      const lost = ['seed=14 fault=never_answer', 'seed=14 error=504', 'seed=14 fault=reset_before_headers'];
      for (const text of lost) {
        const earlier = recorded(world.gateway.dataDir).length;
        await ask(world.gateway, streamed(text, 'hasty'));
        const entry = await nextEntry(earlier);
        assert.deepEqual([entry.state, entry.cost], ['in_doubt', null], text);
        assert.ok((entry.atRisk ?? 0n) > 0n, text);
      }
      const earlier = recorded(world.gateway.dataDir).length;
      await ask(world.gateway, streamed('seed=14 fault=stall_mid_stream', 'hasty'));
      const stalled = await nextEntry(earlier);
      assert.deepEqual([stalled.status, stalled.errorCode], ['upstream_timeout', 'idle_timeout']);
      assert.ok(stalled.cost !== null && stalled.cost > 0n && stalled.state !== 'exact', stalled.state);
    });

    test(`B13: ${name}: usage that comes late, twice or all the time is counted once`, async () => {
      for (const usage of ['late', 'duplicate', 'running', 'on_finish_chunk']) {
        const { callId } = await ask(world.gateway, streamed(`seed=15 usage=${usage}`, 'abort'));
        const entry = await entryOf(callId);
        assert.equal(entriesOf(callId).length, 1);
        assert.deepEqual([entry.state, entry.cost], ['exact', (await billed(entry.upstreamId))?.cost], usage);
      }
    });
  }

  test('B3: each entry costs what its tokens cost: charges, quantities and prices agree', () => {
    const entries = recorded(world.gateway.dataDir);
    assert.ok(entries.length > 50);
    for (const entry of entries) assertRated(entry);
  });

  test('B12: what is not known is not written as nothing', async () => {
    const entry = recorded(world.gateway.dataDir).find(({ state }) => state === 'in_doubt');
    assert.deepEqual(
      [entry?.cost, entry?.listCost, entry?.meters, entry?.charges, entry?.usageOrigin],
      [null, null, {}, [], ''],
    );
    await whenStored(world.gateway);
    type Event = { id: string; cost_usd: number | null; input_tokens: number | null; output_tokens: number | null };
    const events: { data: Event[] } = JSON.parse(await readReport(world.gateway, '/v1/events?limit=1000'));
    const shown = events.data.find(({ id }) => id === entry?.callId);
    assert.deepEqual([shown?.cost_usd, shown?.input_tokens, shown?.output_tokens], [null, null, null]);
  });

  test('B14: no stream costs more than was reserved for it', async () => {
    const { entries } = await settledBill();
    const costs = new Map(entries.map(({ id, cost }) => [id, cost]));
    const streams = recorded(world.gateway.dataDir).filter(({ stream, reserved }) => stream && reserved !== null);
    assert.ok(streams.length > 50);
    for (const { upstreamId, reserved, cost } of streams) {
      assert.ok((cost ?? 0n) <= (reserved ?? 0n));
      assert.ok((costs.get(upstreamId) ?? 0n) <= (reserved ?? 0n));
    }
  });

  test('B10: a thousand streams at once are a thousand entries, each with its own id and its own line', async () => {
    const earlier = recorded(world.gateway.dataDir).length;
    const routes: readonly StreamRoute[] = STREAM_ROUTES;
    const asked = Array.from({ length: 1_000 }, (_, index) => {
      const route = routes[index % routes.length] ?? routes[0];
      assert.ok(route !== undefined);
      const provider = `abort-${route.provider}`;
      return ask(world.gateway, route.request(`seed=${index}`, { provider, mode: 'stream' }));
    });
    const answers = await Promise.all(asked);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const entries = recorded(world.gateway.dataDir).slice(earlier);
    assert.equal(new Set(entries.map(({ callId }) => callId)).size, 1_000);
    assert.deepEqual(new Set(entries.map(({ callId }) => callId)), new Set(answers.map(({ callId }) => callId)));
    const lines = new Map((await world.upstream.bill()).entries.map(({ id, cost }) => [id, cost]));
    for (const { upstreamId, cost } of entries) assert.equal(cost, lines.get(upstreamId));
  });
});

/** Quantity × price, rounded half to even to a pico-dollar; computed here once more, from the entry's own words. */
function assertRated({ callId, cost, meters, charges }: Recorded): void {
  if (cost === null) return;
  let sum = 0n;
  for (const { meter, quantity, unitAmount, unitPer, amount } of charges) {
    assert.equal(quantity, BigInt(meters[meter] ?? -1), `${callId} ${meter}`);
    const [whole = '', fraction = ''] = unitAmount.split('.');
    const numerator = quantity * BigInt(whole + fraction) * 10n ** 12n;
    const denominator = unitPer * 10n ** BigInt(fraction.length);
    const twice = (2n * numerator + denominator) / (2n * denominator);
    const tie = (2n * numerator + denominator) % (2n * denominator) === 0n && twice % 2n === 1n;
    assert.equal(amount, tie ? twice - 1n : twice, `${callId} ${meter}`);
    sum += amount;
  }
  assert.equal(cost, sum, callId);
}
