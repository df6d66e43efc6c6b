import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pico, runPython, startWorld, withoutPython, type Gateway, type World } from '#world';
import { allAttributed, sendTagged, type Attributed } from '../journeys/attributed.ts';
import { makeKey, report, whenStored } from '../journeys/record.ts';
import { dearestFirst, rowCosts, spent, totalOfReport } from '../journeys/spending.ts';

const PAGE_TAGS = ['team:growth', 'feature:summarizer', 'env:prod', 'customer:acme'];

// `messages=[...]` of the page is no message yet; client, host and key are not on it.
const SNIPPET = `client.chat.completions.create(
model="claude-sonnet-4-6",
messages=[{"role": "user", "content": "Hello"}],
extra_body={
"metadata": {
"tags": ["team:growth", "feature:summarizer", "env:prod", "customer:acme"]
}
},
)`;

const SONNET = {
  snapshot: 'claude-sonnet-4-6',
  input: 3_000_000n,
  cached: 300_000n,
  output: 15_000_000n,
  reasons: false,
};

type Tagged = { readonly tags: readonly string[]; readonly outputTokens?: number; readonly key?: string };

describe('NemoRouter: attribution by team, customer and feature', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld({
      models: { 'claude-sonnet-4-6': SONNET },
      config: ({ baseUrl, apiKey }) => ({
        providers: { anthropic: { wire: 'openai', base_url: baseUrl, api_key: apiKey, models: ['claude-sonnet-4-6'] } },
      }),
    });
    ({ gateway } = world);
  });
  after(() => world.close());

  async function call({ tags, outputTokens = 100, key }: Tagged): Promise<Attributed> {
    const messages = [{ role: 'user', content: `completion_tokens=${outputTokens}` }];
    const body = { model: 'claude-sonnet-4-6', messages, metadata: { tags } };
    return sendTagged(gateway, key === undefined ? { body } : { body, key });
  }

  test(
    'the page’s call carries four dimensions, and the provider sees none of them',
    { skip: withoutPython },
    async () => {
      const client = `from openai import OpenAI\nclient = OpenAI(api_key="${gateway.adminKey}", base_url="${gateway.url}/v1")\n`;
      await runPython(client + SNIPPET);
      const entry = allAttributed(gateway.dataDir).at(-1);
      assert.deepEqual(entry?.tags, { team: 'growth', feature: 'summarizer', env: 'prod', customer: 'acme' });
      assert.deepEqual([entry.entity, entry.sent, entry.state], ['customer/acme', PAGE_TAGS, 'exact']);
      const received = (await world.upstream.received()).at(-1);
      assert.deepEqual(Object.keys(JSON.parse(received?.body ?? '')).toSorted(), ['messages', 'model']);
    },
  );

  test('the four tags of the page’s table answer for every value in it', async () => {
    const table: Readonly<Record<string, readonly string[]>> = {
      team: ['growth', 'platform', 'support'],
      feature: ['summarizer', 'chat', 'autocomplete'],
      customer: ['acme', 'globex'],
      env: ['prod', 'staging', 'dev'],
    };
    let outputTokens = 10;
    for (const [key, values] of Object.entries(table)) {
      for (const value of values) await call({ tags: [`${key}:${value}`], outputTokens: (outputTokens += 7) });
    }
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    for (const [key, values] of Object.entries(table)) {
      const { data, summary } = await report(gateway, { group_by: `tags.${key}` });
      const rows = new Map(rowCosts(data));
      for (const value of values)
        assert.equal(
          rows.get(value),
          spent(calls, ({ tags }) => tags[key] === value),
          value,
        );
      // Every dollar lands in exactly one bucket per tag dimension.
      const parts = rowCosts(data).reduce((sum, [, cost]) => sum + cost, 0n);
      assert.equal(parts, pico(summary.total_cost_exact));
      assert.equal(parts, (await world.upstream.bill()).total);
    }
  });

  test('which feature drove the increase: group by feature in two periods, sort by the difference', async () => {
    await whenStored(gateway);
    const earlier = await report(gateway, { group_by: 'tags.feature' });
    const spentBefore = new Map(rowCosts(earlier.data));
    for (const [feature, outputTokens] of [
      ['chat', 900],
      ['summarizer', 30],
      ['autocomplete', 200],
    ] as const) {
      await call({ tags: [`feature:${feature}`], outputTokens });
    }
    await whenStored(gateway);
    const { data } = await report(gateway, { group_by: 'tags.feature' });
    const deltas = rowCosts(data).map(([feature, cost]): [string, bigint] => [
      feature,
      cost - (spentBefore.get(feature) ?? 0n),
    ]);
    assert.deepEqual(
      dearestFirst(deltas)
        .slice(0, 3)
        .map(([feature]) => feature),
      ['chat', 'autocomplete', 'summarizer'],
    );
  });

  test('what customer Acme costs to serve: filter customer:acme, read the total', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const total = totalOfReport(await report(gateway, { tags: 'customer:acme' }));
    assert.equal(
      total,
      spent(calls, ({ tags }) => tags['customer'] === 'acme'),
    );
  });

  test('how much is burnt in staging: filter env:staging', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const total = totalOfReport(await report(gateway, { tags: 'env:staging' }));
    assert.equal(
      total,
      spent(calls, ({ tags }) => tags['env'] === 'staging'),
    );
  });

  test('which team is over its cap: group by team, compare', async () => {
    await call({ tags: ['team:platform'], outputTokens: 5_000 });
    await whenStored(gateway);
    const { data } = await report(gateway, { group_by: 'tags.team' });
    const cap = pico('0.05');
    assert.deepEqual(
      rowCosts(data)
        .filter(([team, cost]) => team !== '(untagged)' && cost > cap)
        .map(([team]) => team),
      ['platform'],
    );
  });

  test('a tag describes, it does not authorise: the key’s team stays the key’s team', async () => {
    const { key } = await makeKey(gateway, { key_alias: 'growth-backend', team_id: 'growth' });
    const claimed = await call({ tags: ['team:platform'], key });
    assert.deepEqual([claimed.tags['team'], claimed.keyTeam], ['platform', 'growth']);
    const silent = await call({ tags: ['env:prod'], key });
    assert.deepEqual([silent.tags['team'], silent.provenance['team'], silent.keyTeam], ['growth', 'default', 'growth']);
    await whenStored(gateway);
    const proven = await report(gateway, { group_by: 'key.team' });
    assert.equal(new Map(rowCosts(proven.data)).get('growth'), spent([claimed, silent]));
  });

  test('what one agent run cost: its steps carry the same customer and feature', async () => {
    const steps: Attributed[] = [];
    for (const [index, step] of ['plan', 'search', 'write'].entries()) {
      steps.push(
        await call({ tags: ['customer:initech', 'feature:researcher', `step:${step}`], outputTokens: 40 + index }),
      );
    }
    await whenStored(gateway);
    const run = await report(gateway, { tags: 'customer:initech,feature:researcher', group_by: 'tags.step' });
    assert.equal(totalOfReport(run), spent(steps));
    assert.equal(run.summary.total_events, 3);
  });

  test('a unique id per request is what the page warns of, and adds up all the same', async () => {
    const entries: Attributed[] = [];
    for (let index = 0; index < 20; index += 1) entries.push(await call({ tags: ['env:perf', `request_id:${index}`] }));
    await whenStored(gateway);
    const { data, summary } = await report(gateway, { tags: 'env:perf', group_by: 'tags.request_id', limit: '5' });
    assert.equal(data.length, 6);
    assert.equal(
      rowCosts(data).reduce((sum, [, cost]) => sum + cost, 0n),
      pico(summary.total_cost_exact),
    );
    assert.equal(pico(summary.total_cost_exact), spent(entries));
  });
});
