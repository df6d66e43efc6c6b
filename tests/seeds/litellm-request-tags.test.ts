import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pico, runBash, runPython, startWorld, withoutPython, type Gateway, type World } from '#world';
import { allAttributed, sendTagged, type Attributed } from '../journeys/attributed.ts';
import { ask, makeKey, report, whenStored } from '../journeys/record.ts';
import { spent, totalOfReport } from '../journeys/spending.ts';

// Host and key are all that is changed in what follows.
const SDK = `from openai import OpenAI

client = OpenAI(
    api_key="sk-1234",
    base_url="http://0.0.0.0:4000"
)

response = client.chat.completions.create(
    model="gpt-4",
    messages=[{"role": "user", "content": "Hello"}],
    extra_body={
        "metadata": {
            "tags": ["AWS_IAM_PROD", "us-east-1"]
        }
    }
)
`;

const CURL = `curl -X POST 'http://0.0.0.0:4000/chat/completions' \\
  -H 'Authorization: Bearer sk-1234' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "model": "gpt-4",
    "messages": [{"role": "user", "content": "Hello"}],
    "metadata": {
      "tags": ["AWS_IAM_PROD", "us-east-1"]
    }
  }'`;

const KEY_GENERATE = `curl -X POST 'http://0.0.0.0:4000/key/generate' \\
  -H 'Authorization: Bearer sk-1234' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "metadata": {
      "tags": ["AWS_IAM_PROD", "team-backend"]
    }
  }'`;

const PAGE_TAGS = ['AWS_IAM_PROD', 'us-east-1'];

const GPT_4 = { snapshot: 'gpt-4-0613', input: 30_000_000n, cached: 30_000_000n, output: 60_000_000n, reasons: false };

type SpendLog = {
  readonly request_id: string;
  readonly request_tags: readonly string[];
  readonly spend: number;
  readonly spend_exact: string;
  readonly model: string;
};

describe('LiteLLM: request tags', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld({ models: { 'gpt-4': GPT_4 } });
    ({ gateway } = world);
  });
  after(() => world.close());

  const here = (snippet: string, key = gateway.adminKey): string =>
    snippet.replace('http://0.0.0.0:4000', gateway.url).replace('sk-1234', key);

  test('the page’s Python makes a call with its two tags', { skip: withoutPython }, async () => {
    const id = (await runPython(`${here(SDK)}print(response.id)`)).trim();
    assert.deepEqual(byUpstreamId(id).labels, PAGE_TAGS);
    assert.deepEqual(byUpstreamId(id).sent, PAGE_TAGS);
  });

  test('the page’s curl makes the same call', async () => {
    const answer: { id: string } = JSON.parse(await runBash(here(CURL)));
    const call = byUpstreamId(answer.id);
    assert.deepEqual([call.labels, call.sent, call.state], [PAGE_TAGS, PAGE_TAGS, 'exact']);
    const received = (await world.upstream.received()).at(-1);
    assert.ok(received !== undefined);
    assert.ok(!received.body.includes('metadata'), received.body);
  });

  test('the tags appear in the spend log as sent, under the id that the client got', async () => {
    const answer: { id: string } = JSON.parse(await runBash(here(CURL)));
    await whenStored(gateway);
    const rows: SpendLog[] = JSON.parse(await ask(gateway, `/spend/logs?request_id=${answer.id}`));
    assert.equal(rows.length, 1);
    const [row] = rows;
    assert.ok(row !== undefined);
    assert.deepEqual([row.request_id, row.request_tags, row.model], [answer.id, PAGE_TAGS, 'gpt-4']);
    const { cost } = byUpstreamId(answer.id);
    assert.ok(cost !== null);
    assert.equal(pico(row.spend_exact), cost);
    assert.equal(row.spend, Number(row.spend_exact));
  });

  test('each use of the page’s table filters and sums its calls', async () => {
    const uses = ['AWS_IAM_PROD', 'AWS_IAM_DEV', 'team-backend', 'project-chatbot'];
    for (const [index, tag] of uses.entries()) {
      const messages = [{ role: 'user', content: `completion_tokens=${50 + index}` }];
      await sendTagged(gateway, {
        path: '/chat/completions',
        body: { model: 'gpt-4', messages, metadata: { tags: [tag] } },
      });
    }
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    for (const tag of uses) {
      const total = totalOfReport(await report(gateway, { tags: tag }));
      assert.equal(
        total,
        spent(calls, ({ labels }) => labels.includes(tag)),
        tag,
      );
    }
  });

  test('spend by tag counts a call in full for each of its tags, and once in the total', async () => {
    await whenStored(gateway);
    const calls = allAttributed(gateway.dataDir);
    const carrying = (tag: string) => (call: Attributed) => call.sent.includes(tag);
    const rows: { individual_request_tag: string; log_count: number; total_spend_exact: string }[] = JSON.parse(
      await ask(gateway, '/spend/tags?start_date=2025-01-01'),
    );
    const tags = new Set(calls.flatMap(({ sent }) => sent));
    assert.deepEqual(
      new Map(rows.map((row) => [row.individual_request_tag, pico(row.total_spend_exact)])),
      new Map([...tags].map((tag) => [tag, spent(calls, carrying(tag))])),
    );
    const both: { total_spend_exact: string; total_log_count: number; spend_per_tag: { name: string }[] } = JSON.parse(
      await ask(gateway, `/global/spend/tags?start_date=2025-01-01&end_date=2099-01-01&tags=${PAGE_TAGS.join(',')}`),
    );
    const any = calls.filter((call) => PAGE_TAGS.some((tag) => carrying(tag)(call)));
    assert.deepEqual(
      [pico(both.total_spend_exact), both.total_log_count, both.spend_per_tag.map(({ name }) => name).toSorted()],
      [spent(any), any.length, PAGE_TAGS],
    );
    const names: { tag_names: string[] } = JSON.parse(await ask(gateway, '/global/spend/all_tag_names'));
    assert.deepEqual(new Set(names.tag_names), tags);
  });

  test('the page’s key: every call of it inherits the tags, beside its own', async () => {
    const made: { key: string } = JSON.parse(await runBash(here(KEY_GENERATE)));
    const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }] };
    const plain = await sendTagged(gateway, { key: made.key, body });
    assert.deepEqual(plain.labels, ['AWS_IAM_PROD', 'team-backend']);
    const own = await sendTagged(gateway, { key: made.key, body: { ...body, metadata: { tags: PAGE_TAGS } } });
    // As LiteLLM keeps them: what was sent, then what is inherited, none of them twice.
    assert.deepEqual(own.sent, ['AWS_IAM_PROD', 'us-east-1', 'team-backend']);
    assert.deepEqual(own.labels, ['AWS_IAM_PROD', 'us-east-1', 'team-backend']);
  });

  test('the other spellings of LiteLLM’s other pages mean the same', async () => {
    const { key } = await makeKey(gateway, { key_alias: 'spellings' });
    const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }] };
    const spellings: { fields?: object; headers?: Record<string, string> }[] = [
      { fields: { tags: PAGE_TAGS } },
      { fields: { litellm_metadata: { tags: PAGE_TAGS } } },
      { headers: { 'x-litellm-tags': 'AWS_IAM_PROD, us-east-1' } },
    ];
    for (const { fields, headers = {} } of spellings) {
      const call = await sendTagged(gateway, { key, headers, body: { ...body, ...fields } });
      assert.deepEqual(call.labels, PAGE_TAGS, JSON.stringify(fields ?? headers));
    }
  });

  function byUpstreamId(id: string): Attributed {
    const found = allAttributed(gateway.dataDir).find(({ upstreamId }) => upstreamId === id);
    assert.ok(found !== undefined, `no entry has the id ${id}`);
    return found;
  }
});
