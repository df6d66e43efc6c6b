import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { pico, startWorld, type Gateway, type World } from '#world';
import { allAttributed, send, sendRefused, sendTagged, type Attributed } from '../journeys/attributed.ts';
import { ask, makeKey, recorded, report, reportedRows, whenStored } from '../journeys/record.ts';
import { rowCosts, spent, totalOfReport } from '../journeys/spending.ts';
import { DIALECT_SETTINGS, DIALECTS } from '../journeys/tag-dialects.ts';

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] };
const CALLS = [
  { path: '/v1/chat/completions', body: CHAT },
  { path: '/v1/chat/completions', body: { ...CHAT, stream: true } },
  { path: '/v1/completions', body: { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello' } },
  { path: '/v1/completions', body: { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello', stream: true } },
  { path: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: 'Hello' } },
];

/** Every channel a label can come through, under a key and a team that add one each. */
const CHANNELS: readonly {
  readonly name: string;
  readonly fields?: object;
  readonly headers?: Record<string, string>;
}[] = [
  { name: 'tags', fields: { tags: ['via-tags'] } },
  { name: 'request_tags', fields: { request_tags: ['via-request_tags'] } },
  { name: 'metadata', fields: { metadata: { tags: ['via-metadata'] } } },
  { name: 'litellm_metadata', fields: { litellm_metadata: { tags: ['via-litellm_metadata'] } } },
  { name: 'native', headers: { 'x-apportion-tags': 'via-native' } },
  { name: 'litellm', headers: { 'x-litellm-tags': 'via-litellm' } },
  { name: 'vercel', headers: { 'ai-reporting-tags': 'via-vercel' } },
];

describe('accidents of routes and tags', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld({ config: () => DIALECT_SETTINGS });
    ({ gateway } = world);
  });
  after(() => world.close());

  async function post(path: string, body: object): Promise<void> {
    const answer = await send(gateway, { path, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, answer.text);
  }

  test('C2: tags at the top level of the body are tracked as those in metadata are', async () => {
    for (const { path, body } of CALLS) {
      const top = await sendTagged(gateway, { path, body: { ...body, tags: ['team:growth', 'beta'] } });
      const inside = await sendTagged(gateway, {
        path,
        body: { ...body, metadata: { tags: ['team:growth', 'beta'] } },
      });
      assert.deepEqual([top.tags, top.labels, top.sent], [inside.tags, inside.labels, inside.sent]);
      assert.deepEqual([top.tags, top.labels], [{ team: 'growth' }, ['beta']]);
    }
  });

  test('C3: tags of a header and tags of a body are one set: the same resolver, checked as one', async () => {
    const body = await sendTagged(gateway, { body: { ...CHAT, tags: { team: 'growth' } } });
    const header = await sendTagged(gateway, { body: CHAT, headers: { 'x-apportion-tags': 'team=growth' } });
    const { callId: _id, upstreamId: _upstream, sent: _sent, answer: _answer, ...seen } = header;
    const { callId: _id2, upstreamId: _upstream2, sent: _sent2, answer: _answer2, ...same } = body;
    assert.deepEqual(seen, same);
    // A limit counts what both say together.
    const half = (prefix: string): string[] => Array.from({ length: 40 }, (_, index) => `${prefix}${index}`);
    const sent = { body: { ...CHAT, tags: half('a') }, headers: { 'x-apportion-tags': half('b').join(', ') } };
    assert.deepEqual((await sendRefused(gateway, sent)).slice(0, 2), [400, 'tag_limit_exceeded']);
  });

  test('C4: no channel strips another: every pair of channels gives the union, beside key and team', async () => {
    await post('/team/new', { team_id: 'c4', metadata: { tags: ['via-team'] } });
    const { key } = await makeKey(gateway, { team_id: 'c4', metadata: { tags: ['via-key'] } });
    for (const first of CHANNELS) {
      for (const second of CHANNELS) {
        const call = await sendTagged(gateway, {
          key,
          headers: { ...first.headers, ...second.headers },
          body: { ...CHAT, ...first.fields, ...second.fields },
        });
        const wanted = new Set([`via-${first.name}`, `via-${second.name}`, 'via-key', 'via-team']);
        assert.deepEqual(new Set(call.labels), wanted, `${first.name} and ${second.name}`);
      }
    }
  });

  test('C6: a tag that a key or its team adds is a tag of the call like any other', async () => {
    await post('/team/new', { team_id: 'c6', metadata: { tags: ['cost-center:4711'] } });
    const { key } = await makeKey(gateway, { team_id: 'c6', metadata: { tags: ['product:inherited'] } });
    for (const { path, body } of CALLS) {
      const { tags } = await sendTagged(gateway, { key, path, body });
      assert.deepEqual(tags, { product: 'inherited', 'cost-center': '4711', team: 'c6' });
    }
    await whenStored(gateway);
    const found = await report(gateway, { tags: 'product:inherited,cost-center:4711' });
    assert.equal(found.summary.total_events, CALLS.length);
  });

  test('C7: a caller adds to what the operator configured, and cannot take a lock away', async () => {
    const { key } = await makeKey(gateway, {
      metadata: { tags: ['AWS_IAM_PROD', 'env:prod'] },
      locked_tags: { customer: 'acme' },
    });
    const said = [
      { body: { ...CHAT, tags: ['beta', 'env:staging', 'customer:globex'] } },
      { body: CHAT, headers: { 'x-litellm-tags': 'beta,env:staging,customer:globex' } },
    ];
    for (const [index, sent] of said.entries()) {
      const call = await sendTagged(gateway, { key, ...sent });
      assert.deepEqual(new Set(call.labels), new Set(['beta', 'AWS_IAM_PROD']));
      assert.deepEqual(call.tags, { customer: 'acme', env: 'staging' });
      assert.deepEqual(call.conflicts, [
        { key: 'customer', value: 'globex', source: index === 0 ? 'body' : 'header' },
        { key: 'env', value: 'prod', source: 'key_default' },
      ]);
      assert.match(call.answer.warnings, /customer is locked/);
    }
  });

  for (const dialect of DIALECTS.filter(
    ({ source, headers }) => source === 'header' && Object.keys(headers).length > 0,
  )) {
    test(`C8: the header of "${dialect.name}" still works`, async () => {
      const call = await sendTagged(gateway, { body: CHAT, headers: dialect.headers });
      assert.deepEqual(
        [call.tags, call.labels, call.paths],
        [dialect.said.tags, dialect.said.labels, dialect.said.paths],
      );
    });
  }

  test('C9: tags of a key, a team and a caller leave the provider’s body byte for byte as it was', async () => {
    await post('/team/new', { team_id: 'c9', metadata: { tags: ['via-team'] } });
    const { key } = await makeKey(gateway, {
      team_id: 'c9',
      metadata: { tags: ['via-key'] },
      locked_tags: ['customer:acme'],
    });
    const own = `"messages":[{"role":"user","content":"H\\u00e9llo  \\/"}], "temperature" : 0.50,"logit_bias":{"50256":-100}`;
    const ours = `"tags":{"a":"b"},"entity_type":"project","entity_id":"x","request_tags":["r"],"litellm_metadata":{"tags":["l"]}`;
    const body = `{"model":"gpt-4o-mini",${ours},${own},"metadata":{"tags":["m"],"trace": "kept  as is"},"user":"u-1","session_id":"s"}`;
    await sendTagged(gateway, { key, body });
    const received = (await world.upstream.received()).at(-1);
    assert.equal(
      received?.body,
      `{"model":"gpt-4o-mini",${own.replace('], "', '],"')},"metadata":{"trace": "kept  as is"},"user":"u-1"}`,
    );
  });

  test('C10: every answer that came from the provider has exactly one entry, on every route', async () => {
    const earlier = allAttributed(gateway.dataDir).length;
    const billedBefore = (await world.upstream.bill()).entries.length;
    for (const prefix of ['/v1', '', '/api/v1', '/openai/v1']) {
      for (const { path, body } of CALLS) {
        const answer = await send(gateway, { path: path.replace('/v1', prefix), body });
        assert.equal(answer.status, 200, answer.text);
      }
    }
    const entries = allAttributed(gateway.dataDir).slice(earlier);
    const billed = (await world.upstream.bill()).entries.slice(billedBefore);
    assert.deepEqual([entries.length, billed.length], [20, 20]);
    assert.deepEqual(
      entries.map(({ cost }) => cost),
      billed.map(({ cost }) => cost),
    );
  });

  const notServed = ['/v1/realtime', '/openai/v2/embeddings', '/openai_passthrough/v1/embeddings', '/v1/rerank'];
  test('C11: what is no route of ours is not passed through, so nothing escapes through it', async () => {
    const earlier = (await world.upstream.received()).length;
    for (const path of notServed) {
      const answer = await send(gateway, { path, body: CHAT });
      assert.equal(answer.status, 404, `${path}: ${answer.text}`);
    }
    assert.equal((await world.upstream.received()).length, earlier);
  });

  test('C11: what is passed through has key, tags and an entry; work whose price is not known is unpriced, not free', async () => {
    const earlier = recorded(gateway.dataDir).length;
    const headers = { authorization: `Bearer ${gateway.adminKey}`, 'x-apportion-tags': 'team=growth' };
    const list = await fetch(`${gateway.url}/v1/files`, { headers });
    assert.deepEqual([list.status, list.headers.get('x-apportion-cost')], [200, '0']);
    await list.text();
    const held = await fetch(`${gateway.url}/v1/files`);
    assert.equal(held.status, 401, await held.text());
    const entries = recorded(gateway.dataDir).slice(earlier);
    assert.deepEqual(
      entries.map(({ status, state, cost, tagsSent }) => [status, state, cost, tagsSent]),
      [['ok', 'exact', 0n, ['team=growth']]],
    );
    const { key } = await makeKey(gateway, { models: ['gpt-4o-mini'] });
    const batch = await fetch(`${gateway.url}/v1/batches`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(batch.status, 403, await batch.text());
  });

  test('C13: reading a stored answer again bills nothing, however often it is read', async () => {
    const { answer } = await sendTagged(gateway, { body: { ...CHAT, store: true } });
    const { id }: { id: string } = JSON.parse(answer.text);
    const earlier = { bill: await world.upstream.bill(), entries: recorded(gateway.dataDir).length };
    for (let round = 0; round < 5; round += 1) {
      for (const path of [`/v1/chat/completions/${id}`, `/v1/responses/${id}`]) {
        const read = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${gateway.adminKey}` } });
        await read.text();
      }
    }
    assert.deepEqual(await world.upstream.bill(), earlier.bill);
    const reads = recorded(gateway.dataDir).slice(earlier.entries);
    assert.deepEqual([reads.length, new Set(reads.map(({ cost }) => cost))], [10, new Set([0n])]);
  });

  test('C14: a hundred interleaved users of one key are a hundred attributions', async () => {
    const { key } = await makeKey(gateway, { key_alias: 'shared' });
    const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
    const answers = await Promise.all(
      users.map(async (user, index) =>
        index % 2 === 0
          ? send(gateway, { key, body: { ...CHAT, user, stream: index % 4 === 0 } })
          : send(gateway, { key, body: CHAT, headers: { 'x-litellm-end-user-id': user } }),
      ),
    );
    const entries = new Map(allAttributed(gateway.dataDir).map((entry) => [entry.callId, entry]));
    const seen = answers.map(({ callId }) => entries.get(callId)?.tags);
    assert.deepEqual(
      seen,
      users.map((user) => ({ end_user: user, customer: user })),
    );
  });

  test('C16: a refused, a lost and an answered try are three entries: what is settled and what is at risk hold the bill', async () => {
    const earlier = { total: (await world.upstream.bill()).total, entries: recorded(gateway.dataDir).length };
    await world.upstream.script({ error: 500 }, 1);
    // This one is billed, and lost on its way.
    await world.upstream.script({ fault: 'reset_after_headers', completion_tokens: 50 }, 1);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.adminKey, maxRetries: 3 });
    await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Hello' }],
      max_completion_tokens: 500,
    });
    const [refused, lost, answered, ...more] = recorded(gateway.dataDir).slice(earlier.entries);
    assert.deepEqual(more, []);
    const bill = await world.upstream.bill();
    assert.deepEqual([refused?.status, refused?.state, refused?.cost], ['upstream_error', 'exact', 0n]);
    assert.deepEqual([lost?.status, lost?.state, lost?.cost], ['upstream_broken', 'in_doubt', null]);
    assert.deepEqual([answered?.status, answered?.state, answered?.cost], ['ok', 'exact', bill.entries.at(-1)?.cost]);
    const unsettled = bill.total - earlier.total - (answered?.cost ?? 0n);
    assert.ok(unsettled > 0n && unsettled <= (lost?.atRisk ?? 0n), `${unsettled} of ${String(lost?.atRisk)}`);
  });

  test('C17: more entries than others keep are kept; beyond our limit is a 400 that names it', async () => {
    const metadata = (count: number): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, `v${index}`])));
    const call = await sendTagged(gateway, { body: CHAT, headers: { 'cf-aig-metadata': metadata(64) } });
    assert.equal(Object.keys(call.tags).length, 64);
    const over = await send(gateway, { body: CHAT, headers: { 'cf-aig-metadata': metadata(65) } });
    const { error }: { error: { code: string; message: string } } = JSON.parse(over.text);
    assert.deepEqual([over.status, error.code], [400, 'tag_limit_exceeded']);
    assert.match(error.message, /64/);
  });

  test('C18: deleting a key, a team and a tag changes no total of the past', async () => {
    await post('/team/new', { team_id: 'c18', team_alias: 'doomed' });
    const { key } = await makeKey(gateway, { key_alias: 'doomed key', team_id: 'c18' });
    const call = await sendTagged(gateway, { key, body: { ...CHAT, tags: ['doomed', 'project:doomed'] } });
    await whenStored(gateway);
    const ways = [
      { tags: 'doomed' },
      { group_by: 'key' },
      { group_by: 'key.team' },
      { group_by: 'tags.project' },
      { group_by: 'label' },
    ];
    const read = async () => Promise.all(ways.map(async (way) => reportedRows((await report(gateway, way)).data)));
    const rows = await read();
    await post('/tag/new', { name: 'doomed' });
    await post('/tag/delete', { name: 'doomed' });
    await post('/key/delete', { key_aliases: ['doomed key'] });
    await post('/team/delete', { team_ids: ['c18'] });
    assert.deepEqual(await read(), rows);
    assert.deepEqual(rows[1]?.get('doomed key'), { cost: call.cost, events: 1 });
  });

  test('C19: calls without a tag are a row of their own, so that a report never loses them', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const { data, summary } = await report(gateway, { group_by: 'tags.customer' });
    const untagged = data.find((row) => row.untagged);
    assert.equal(
      pico(untagged?.total_cost_exact ?? ''),
      spent(
        calls.filter(({ cost }) => cost !== null),
        ({ tags }) => tags['customer'] === undefined,
      ),
    );
    assert.equal(
      rowCosts(data).reduce((sum, [, cost]) => sum + cost, 0n),
      pico(summary.total_cost_exact),
    );
    const alone = await report(gateway, { tags: 'customer:(untagged)' });
    assert.equal(alone.summary.total_cost_exact, untagged?.total_cost_exact);
  });

  test('C20: a session’s total is the sum of its calls, whatever route and model they took', async () => {
    const calls: Attributed[] = [];
    const steps = ['plan', 'plan/embed', 'plan/search', 'write', 'write'];
    for (const [index, { path, body }] of CALLS.entries()) {
      const step = steps[index] ?? '';
      calls.push(await sendTagged(gateway, { path, body: { ...body, session_id: 'c20', session_path: step } }));
    }
    await whenStored(gateway);
    const session: {
      cost_exact: string;
      turns: number;
      tree: { cost_exact: string; children: { path: string; cost_exact: string }[] };
    } = JSON.parse(await ask(gateway, '/v1/sessions/c20'));
    assert.deepEqual([session.turns, pico(session.cost_exact)], [calls.length, spent(calls)]);
    const under = (root: string): bigint => spent(calls, ({ sessionPath }) => sessionPath.split('/')[0] === root);
    assert.deepEqual(
      session.tree.children.map(({ path, cost_exact: cost }) => [path, pico(cost)]),
      [
        ['plan', under('plan')],
        ['write', under('write')],
      ],
    );
    assert.equal(totalOfReport(await report(gateway, { session_id: 'c20' })), spent(calls));
  });
});

describe('accidents of required tags', () => {
  let world: World;

  before(async () => {
    world = await startWorld({ config: () => ({ tags: { policy: { mode: 'enforce', required: ['team'] } } }) });
  });
  after(() => world.close());

  test('C19: a call without a required tag is refused on every route, and nobody is called', async () => {
    for (const { path, body } of CALLS) {
      const sent = { path, body };
      assert.deepEqual((await sendRefused(world.gateway, sent)).slice(0, 2), [400, 'invalid_tag']);
      await sendTagged(world.gateway, { path, body: { ...body, tags: { team: 'growth' } } });
    }
    assert.equal((await world.upstream.received()).length, CALLS.length);
  });
});

describe('accidents of retries', () => {
  let world: World;
  before(async () => {
    world = await startWorld({
      config: (upstream) => ({
        providers: {
          main: { wire: 'openai', base_url: upstream.baseUrl, api_key: upstream.apiKey, price_as: 'openai' },
          reserve: { wire: 'openai', base_url: upstream.baseUrl, api_key: upstream.apiKey, price_as: 'openai' },
        },
        models: { smart: { deployments: [{ model: 'main/gpt-4o' }], fallbacks: ['reserve/gpt-4o-mini'] } },
      }),
    });
  });
  after(() => world.close());

  test('C15: a call that a fallback rescued is one request, and says which model served it at which price', async () => {
    const { gateway, upstream } = world;
    await upstream.script({ error: 503 }, 1);
    const answer = await send(gateway, { body: { ...CHAT, model: 'smart' } });
    assert.equal(answer.status, 200, answer.text);
    const entries = await whenStored(gateway);
    const { entries: billed, total } = await upstream.bill();
    assert.deepEqual(
      entries.map(({ model, status, cost }) => [model, status, cost]),
      [
        ['gpt-4o', 'upstream_error', 0n],
        ['gpt-4o-mini', 'ok', billed[0]?.cost],
      ],
    );
    const { summary } = await report(gateway);
    assert.deepEqual([summary.total_events, pico(summary.total_cost_exact)], [1, total]);
    const { data } = await report(gateway, { group_by: 'model' });
    assert.deepEqual(reportedRows(data), new Map([['gpt-4o-mini', { cost: total, events: 1 }]]));
  });
});
