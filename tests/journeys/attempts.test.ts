import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pico, startWorld, until, type Behaviour, type Upstream, type World } from '#world';
import { send, type Answered } from './attributed.ts';
import { recorded, report, whenStored, type Recorded } from './record.ts';

const COOL_MS = 400;

const providers = (east: Upstream, west: Upstream) => ({
  east: { wire: 'openai', base_url: east.baseUrl, api_key: east.apiKey, price_as: 'openai' },
  west: { wire: 'openai', base_url: west.baseUrl, api_key: west.apiKey, price_as: 'openai' },
});

const MODELS = {
  fast: 'east/gpt-4o-mini',
  again: 'east/gpt-4o',
  spread: {
    deployments: [
      { model: 'east/gpt-4o-mini', weight: 3 },
      { model: 'west/gpt-4o-mini', weight: 1 },
    ],
  },
  safe: { deployments: [{ model: 'east/gpt-4o' }], fallbacks: ['west/o3'] },
  resting: { deployments: [{ model: 'east/o3' }], fallbacks: ['west/gpt-4o-mini'] },
};

const RETRIES = { max_attempts: 3, backoff_ms: 20, max_backoff_ms: 1_000 };

type Called = { readonly answer: Answered; readonly entries: readonly Recorded[] };

describe('a call with more than one attempt', () => {
  let world: World;
  let east: Upstream;
  let west: Upstream;

  before(async () => {
    world = await startWorld({
      count: 2,
      providers: [],
      config: (first, second = first) => ({
        providers: providers(first, second),
        models: MODELS,
        retries: RETRIES,
        cooldown: { failures: 3, for_ms: COOL_MS },
      }),
    });
    east = world.upstream;
    west = world.upstreams[1] ?? east;
  });
  after(() => world.close());

  async function call(model: string, extra: object = {}, text = 'seed=1'): Promise<Called> {
    const body = { model, messages: [{ role: 'user', content: text }], max_completion_tokens: 50, ...extra };
    const answer = await send(world.gateway, { body, headers: { 'x-apportion-tags': 'team=growth' } });
    const entries = recorded(world.gateway.dataDir).filter(({ callId }) => callId === answer.callId);
    return { answer, entries };
  }
  const way = (entries: readonly Recorded[]) =>
    entries.map(({ attempt, cause, provider, model, status, countsCall }) => ({
      attempt,
      cause,
      at: `${provider}/${model}`,
      status,
      countsCall,
    }));
  const lastCost = async (upstream: Upstream) => (await upstream.bill()).entries.at(-1)?.cost;

  test('an alias goes where it says, and is priced as that', async () => {
    const { answer, entries } = await call('fast');
    assert.equal(answer.status, 200);
    const [entry] = entries;
    assert.deepEqual(
      [entry?.route, entry?.provider, entry?.model, entry?.cost, entry?.state],
      ['fast', 'east', 'gpt-4o-mini', await lastCost(east), 'exact'],
    );
    assert.deepEqual(
      ['route', 'provider', 'model', 'attempts'].map((name) => answer.headers.get(`x-apportion-${name}`)),
      ['fast', 'east', 'gpt-4o-mini', null],
    );
  });

  test('a failure that cost nothing is tried again, and both attempts are recorded with the tags', async () => {
    await east.script({ error: 503 }, 1);
    const { answer, entries } = await call('again');
    assert.equal(answer.status, 200);
    assert.deepEqual(way(entries), [
      { attempt: 1, cause: 'first', at: 'east/gpt-4o', status: 'upstream_error', countsCall: false },
      { attempt: 2, cause: 'retry', at: 'east/gpt-4o', status: 'ok', countsCall: true },
    ]);
    assert.deepEqual(
      entries.map(({ cost, state }) => ({ cost, state })),
      [
        { cost: 0n, state: 'exact' },
        { cost: await lastCost(east), state: 'exact' },
      ],
    );
    assert.deepEqual(
      entries.map(({ tags }) => tags),
      [{ team: 'growth' }, { team: 'growth' }],
    );
    assert.equal(answer.headers.get('x-apportion-attempts'), '2');
    assert.equal(answer.headers.get('x-apportion-failed'), 'east/gpt-4o http_503');
    assert.equal(answer.headers.get('x-litellm-attempted-retries'), '1');
    assert.equal(pico(answer.headers.get('x-apportion-cost') ?? ''), await lastCost(east));
  });

  test('the provider’s retry-after is kept to, and one that is too long ends the call', async () => {
    await east.script({ error: 429, retry_after: 1 }, 1);
    const startedMs = performance.now();
    const { answer } = await call('again');
    assert.equal(answer.status, 200);
    assert.ok(performance.now() - startedMs >= 1_000);
    await east.script({ error: 429, retry_after: 60 }, 1);
    const refused = await call('again');
    assert.equal(refused.answer.status, 429);
    assert.equal(refused.answer.headers.get('retry-after'), '60');
    assert.equal(refused.entries.length, 1);
    // A success clears what the failure left behind.
    await until('the deployment to be back', 5_000, async () =>
      (await call('again')).answer.status === 200 ? true : undefined,
    );
  });

  for (const stream of [false, true]) {
    test(`a fallback is priced as what answered (${stream ? 'a stream' : 'an answer at once'})`, async () => {
      await east.script({ error: 500 }, 1);
      const { answer, entries } = await call('safe', { stream });
      assert.equal(answer.status, 200);
      assert.deepEqual(way(entries), [
        { attempt: 1, cause: 'first', at: 'east/gpt-4o', status: 'upstream_error', countsCall: false },
        { attempt: 2, cause: 'fallback', at: 'west/o3', status: 'ok', countsCall: true },
      ]);
      assert.equal(entries[1]?.cost, await lastCost(west));
      assert.equal(entries[1]?.responseModel, 'o3-2025-04-16');
      assert.equal(answer.headers.get('x-litellm-attempted-fallbacks'), '1');
    });
  }

  test('what the request itself is to blame for is tried once', async () => {
    const { answer, entries } = await call('safe', { temperature: 'warm', logprobz: true });
    assert.equal(answer.status, 400);
    assert.equal(entries.length, 1);
  });

  test('calls are shared by weight, and the two bills make up the ledger', async () => {
    const earlier = await Promise.all([east.bill(), west.bill()]);
    const calls = await Promise.all(Array.from({ length: 160 }, (_, index) => call('spread', {}, `seed=${index}`)));
    assert.ok(calls.every(({ answer }) => answer.status === 200));
    const entries = recorded(world.gateway.dataDir).filter(({ route }) => route === 'spread');
    const [first, second] = await Promise.all([east.bill(), west.bill()]);
    const billed = first.total - (earlier[0]?.total ?? 0n) + second.total - (earlier[1]?.total ?? 0n);
    assert.equal(
      entries.reduce((sum, { cost }) => sum + (cost ?? 0n), 0n),
      billed,
    );
    const atWest = entries.filter(({ provider }) => provider === 'west').length;
    // 40 are expected of 160; fewer than 15 or more than 70 happen once in a million runs.
    assert.ok(atWest > 15 && atWest < 70, `${atWest} of 160`);
  });

  test('a deployment that keeps failing is passed over for a while, and then asked again', async () => {
    await east.script({ error: 500 }, 3);
    for (let failed = 0; failed < 3; failed += 1) assert.equal((await call('resting')).entries.length, 2);
    const asked = (await east.received()).length;
    const { entries } = await call('resting');
    assert.deepEqual(
      way(entries).map(({ at }) => at),
      ['west/gpt-4o-mini'],
    );
    assert.equal((await east.received()).length, asked);
    const back = await until('the deployment to be asked again', 5_000, async () => {
      const { entries: later } = await call('resting');
      return later[0]?.provider === 'east' ? later : undefined;
    });
    assert.deepEqual(
      way(back).map(({ at, status }) => [at, status]),
      [['east/o3', 'ok']],
    );
  });

  test('what may have been billed is not tried again: one attempt, in doubt', async () => {
    await east.script({ fault: 'reset_before_headers' }, 1);
    const { answer, entries } = await call('safe');
    assert.equal(answer.status, 502);
    assert.deepEqual(
      entries.map(({ status, state, cost }) => ({ status, state, cost })),
      [{ status: 'upstream_broken', state: 'in_doubt', cost: null }],
    );
    assert.ok((entries[0]?.atRisk ?? 0n) > 0n);
  });

  test('a server that refuses the usage option is asked once more without it, and not again', async () => {
    const refusing: Behaviour = { refuses: 'stream_options' };
    await west.script(refusing, 3);
    const { answer, entries } = await call('west/gpt-4o-mini', { stream: true });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      entries.map(({ cost, state, usageOrigin }) => [cost === 0n, state, usageOrigin]),
      [
        [true, 'exact', ''],
        [false, 'estimated', 'estimated'],
      ],
    );
    const { entries: later } = await call('west/gpt-4o-mini', { stream: true });
    assert.deepEqual(
      later.map(({ attempt, state }) => [attempt, state]),
      [[1, 'estimated']],
    );
  });

  test('reports count calls, not attempts, and come to both bills but for what was estimated', async () => {
    const entries = await whenStored(world.gateway);
    const { summary } = await report(world.gateway);
    assert.equal(summary.total_events, entries.filter(({ countsCall }) => countsCall).length);
    assert.equal(summary.total_events, new Set(entries.map(({ callId }) => callId)).size);
    const exact = entries.filter(({ state, cost }) => state === 'exact' && cost !== 0n);
    const costs = new Map(exact.map(({ upstreamId, cost }) => [upstreamId, cost]));
    for (const upstream of [east, west]) {
      for (const line of (await upstream.bill()).entries) {
        if (costs.has(line.id)) assert.equal(costs.get(line.id), line.cost);
        costs.delete(line.id);
      }
    }
    assert.deepEqual([...costs], []);
  });
});

test('with when_unknown: retry, a lost attempt is paid for twice if need be, and both are recorded', async (t) => {
  const world = await startWorld({
    count: 2,
    providers: [],
    config: (east, west = east) => ({
      providers: providers(east, west),
      models: { safe: MODELS.safe },
      retries: { ...RETRIES, when_unknown: 'retry' },
    }),
  });
  t.after(() => world.close());
  const { gateway, upstream: east, upstreams } = world;
  const body = { model: 'safe', messages: [{ role: 'user', content: 'hello' }], max_completion_tokens: 50 };

  await east.script({ fault: 'reset_before_headers' }, 1);
  const answer = await send(gateway, { body });
  assert.equal(answer.status, 200, answer.text);
  const [lost, answered, ...more] = recorded(gateway.dataDir);
  assert.deepEqual(more, []);
  assert.deepEqual([lost?.state, lost?.cost, lost?.countsCall], ['in_doubt', null, false]);
  assert.ok((lost?.atRisk ?? 0n) > 0n);
  const billed = (await upstreams[1]?.bill())?.entries.at(-1);
  assert.deepEqual(
    [answered?.cause, answered?.state, answered?.cost, answered?.countsCall],
    ['fallback', 'exact', billed?.cost, true],
  );

  // After something was shown, nothing is tried again, whatever the setting.
  await east.script({ fault: 'cut_mid_stream' }, 1);
  const cut = await send(gateway, { body: { ...body, stream: true } }).catch(() => undefined);
  const entries = recorded(gateway.dataDir).slice(2);
  assert.ok(cut === undefined || cut.status === 200);
  assert.deepEqual(
    entries.map(({ attempt, status }) => [attempt, status]),
    [[1, 'upstream_broken']],
  );
});
