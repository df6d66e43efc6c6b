import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import { pico, startWorld, type Gateway, type World } from '#world';
import { allAttributed, attributed, sendTagged, type Attributed } from '../journeys/attributed.ts';
import { ask, makeKey, report, whenStored, type ReportRow } from '../journeys/record.ts';
import { spent } from '../journeys/spending.ts';

const PATH = '/api/v1/chat/completions';

const tagged = (tags: readonly string[], content = 'Hello') => ({
  path: PATH,
  body: {
    model: 'openai/gpt-4o-mini',
    stream: false,
    messages: [{ role: 'user', content }],
    temperature: 0.0,
    request_tags: tags,
  },
});

/** Every tag the page shows, with what kind it is there. */
const FLAT = ['asia', 'production', 'beta', 'Europe'] as const;
const PATHS = [
  'feature/summary-widget',
  'customer/acme',
  'env/production',
  'UK/London',
  'team/feature/test',
  'org/team/project',
  'US/California/SF',
  'USA/NYC',
  'org/team',
  'env/staging',
  'marketing/email-gen',
  'feature/chat',
  'feature/summary',
] as const;

type EventPage = {
  readonly data: readonly {
    readonly id: string;
    readonly request_tags: readonly string[];
    readonly cost_usd_exact: string;
  }[];
  readonly summary: { readonly total_events: number; readonly total_cost_exact: string };
  readonly pagination: { readonly total: number };
};

describe('FastRouter: dynamic tags', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    const haiku = {
      snapshot: 'claude-3-5-haiku-20241022',
      input: 800_000n,
      cached: 80_000n,
      output: 4_000_000n,
      reasons: false,
    };
    world = await startWorld({
      models: { 'claude-3.5-haiku': haiku },
      config: ({ baseUrl, apiKey }) => ({
        providers: { anthropic: { wire: 'openai', base_url: baseUrl, api_key: apiKey, models: ['claude-3.5-haiku'] } },
      }),
    });
    ({ gateway } = world);
  });
  after(() => world.close());

  test('the request inspector’s call is booked on its three paths', async () => {
    const tags = ['feature/summary-widget', 'customer/acme', 'env/production'];
    const call = await sendTagged(gateway, tagged(tags));
    assert.deepEqual([call.paths, call.labels, call.sent], [tags, [], tags]);
  });

  test('the page’s body works on the page’s address, and the provider sees none of our fields', async () => {
    const call = await sendTagged(gateway, tagged(['UK/London', 'Europe']));
    assert.deepEqual([call.paths, call.labels, call.sent], [['UK/London'], ['Europe'], ['UK/London', 'Europe']]);
    const received = (await world.upstream.received()).at(-1);
    assert.equal(received?.path, '/v1/chat/completions');
    assert.deepEqual(Object.keys(JSON.parse(received.body)).toSorted(), ['messages', 'model', 'stream', 'temperature']);
  });

  test('the same field through the SDK and a key that exists already: nothing to set up', async () => {
    const { key } = await makeKey(gateway, { key_alias: 'existing' });
    const client = new OpenAI({ baseURL: `${gateway.url}/api/v1`, apiKey: key, maxRetries: 0 });
    const body = {
      model: 'openai/gpt-4o-mini',
      messages: [{ role: 'user' as const, content: 'Hello' }],
      request_tags: ['production', 'org/team/project'],
    };
    const { response } = await client.chat.completions.create(body).withResponse();
    const call = attributed(gateway, response.headers.get('x-apportion-call-id') ?? '');
    assert.deepEqual([call.labels, call.paths], [['production'], ['org/team/project']]);
  });

  const shapes: [name: string, tags: string[]][] = [
    ['flat', ['asia', 'production']],
    ['hierarchical', ['USA/NYC', 'org/team/project']],
    ['mixed', ['asia', 'production', 'beta', 'customer/acme', 'org/team/project', 'US/California/SF']],
    ['geography and team', ['US/California/SF', 'marketing/email-gen', 'env/staging']],
  ];
  for (const [name, tags] of shapes) {
    test(`${name} tags keep their shape`, async () => {
      const call = await sendTagged(gateway, tagged(tags));
      assert.deepEqual(
        call.labels,
        tags.filter((tag) => !tag.includes('/')),
      );
      assert.deepEqual(
        call.paths,
        tags.filter((tag) => tag.includes('/')),
      );
      assert.deepEqual(call.tags, {});
    });
  }

  test('every tag of the page filters the log and rolls up in the report', async () => {
    for (const [index, tag] of [...FLAT, ...PATHS].entries()) {
      await sendTagged(gateway, tagged([tag], `completion_tokens=${20 + index}`));
    }
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    for (const tag of [...FLAT, ...PATHS]) {
      const page = await events({ tags: tag });
      assert.deepEqual(
        new Set(page.data.map(({ id }) => id)),
        new Set(calls.filter(under(tag)).map(({ callId }) => callId)),
      );
      assert.equal(pico(page.summary.total_cost_exact), spent(calls, under(tag)), tag);
    }
  });

  test('a path rolls usage up at any of its levels', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const rows = new Map((await report(gateway, { group_by: 'path' })).data.map((row) => [row.value, row]));
    for (const node of ['org', 'team', 'US', 'customer', 'feature', 'env']) {
      assert.equal(costOf(rows.get(node)), spent(calls, under(node)), node);
    }
    const below = new Map((await report(gateway, { group_by: 'path:US' })).data.map((row) => [row.value, row]));
    assert.equal(costOf(below.get('US/California')), spent(calls, under('US/California')));
  });

  test('the activity log filtered by customer/acme shows its calls, their number and their sum', async () => {
    const log: [model: string, tags: string[]][] = [
      ['openai/gpt-4o-mini', ['customer/acme', 'feature/chat']],
      ['anthropic/claude-3.5-haiku', ['customer/acme', 'env/production']],
      ['openai/gpt-4o-mini', ['customer/acme', 'feature/summary']],
    ];
    for (const [model, tags] of log)
      await sendTagged(gateway, { ...tagged(tags), body: { ...tagged(tags).body, model } });
    await whenStored(gateway);
    const page = await events({ tags: 'customer/acme' });
    assert.deepEqual(
      page.data.slice(0, 3).map((event) => event.request_tags),
      log.map(([, tags]) => tags).toReversed(),
    );
    const calls = allAttributed(gateway.dataDir);
    assert.equal(page.pagination.total, calls.filter(under('customer/acme')).length);
    assert.equal(page.summary.total_events, page.pagination.total);
    const sum = page.data.reduce((total, event) => total + pico(event.cost_usd_exact), 0n);
    assert.equal(pico(page.summary.total_cost_exact), sum);
  });

  test('usage by tag: the rows overlap, and the total counts each call once', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const byLabel = await report(gateway, { group_by: 'label' });
    assert.equal(pico(byLabel.summary.total_cost_exact), spent(calls));
    const rows = new Map(byLabel.data.map((row) => [row.value, row]));
    for (const label of FLAT)
      assert.equal(
        costOf(rows.get(label)),
        spent(calls, ({ labels }) => labels.includes(label)),
      );
  });

  async function events(query: Readonly<Record<string, string>>): Promise<EventPage> {
    return JSON.parse(await ask(gateway, `/v1/events?${new URLSearchParams({ limit: '1000', ...query }).toString()}`));
  }
});

/** Calls that carry this label, this path, or one below it. */
function under(tag: string): (call: Attributed) => boolean {
  return ({ labels, paths }) =>
    labels.includes(tag) || paths.some((path) => path === tag || path.startsWith(`${tag}/`));
}

function costOf(row: ReportRow | undefined): bigint {
  assert.ok(row !== undefined);
  return pico(row.total_cost_exact);
}
