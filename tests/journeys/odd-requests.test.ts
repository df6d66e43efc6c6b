// Requests that are legal and rare. Each costs what the upstream's own bill says, or says that it does not know.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeClients, pico, startWorld, type World } from '#world';
import { recorded, report, whenStored } from './record.ts';

const BYTE_ORDER_MARK = '\ufeff';

describe('odd but legal requests', () => {
  let world: World;

  before(async () => {
    world = await startWorld({ providers: ['openai', 'gemini'] });
  });
  after(() => world.close());

  const post = async (path: string, body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const { url, adminKey } = world.gateway;
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const chat = (feature: string): string =>
    JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'seed=7' }],
      tags: { feature },
    });
  const lastBilled = async () => (await world.upstream.bill()).entries.at(-1)?.cost;
  const lastSent = async () => (await world.upstream.received()).at(-1);

  test('a compressed body is read, tagged and billed, and reaches the provider plain', async () => {
    const { status, headers } = await post('/v1/chat/completions', gzipSync(chat('packed')), {
      'content-encoding': 'gzip',
    });
    assert.equal(status, 200);
    assert.equal(pico(headers.get('x-apportion-cost') ?? ''), await lastBilled());
    assert.equal(recorded(world.gateway.dataDir).at(-1)?.tags['feature'], 'packed');
    const sent = await lastSent();
    assert.equal(sent?.headers['content-encoding'], undefined);
    assert.deepEqual(JSON.parse(sent?.body ?? ''), {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'seed=7' }],
    });
  });

  test('an encoding that nobody knows is a 415 that names it, and nothing is sent', async () => {
    const earlier = (await world.upstream.received()).length;
    const { status, text } = await post('/v1/chat/completions', chat('x'), { 'content-encoding': 'snappy' });
    assert.equal(status, 415);
    assert.match(text, /"snappy\\" is not read here/);
    assert.equal((await world.upstream.received()).length, earlier);
  });

  test('a mark before the JSON is passed over, and not sent on', async () => {
    const { status, headers } = await post('/v1/chat/completions', BYTE_ORDER_MARK + chat('marked'));
    assert.equal(status, 200);
    assert.equal(pico(headers.get('x-apportion-cost') ?? ''), await lastBilled());
    assert.equal((await lastSent())?.body.startsWith('{'), true);
  });

  test('a response in the background is in doubt with all that was reserved, until its usage is told', async () => {
    const { headers, text } = await post(
      '/v1/responses',
      JSON.stringify({ model: 'gpt-5-mini', input: 'seed=8', background: true, max_output_tokens: 4000 }),
    );
    const { status, usage }: { status: string; usage: unknown } = JSON.parse(text);
    assert.deepEqual([status, usage], ['queued', null]);
    assert.deepEqual([headers.get('x-apportion-cost'), headers.get('x-apportion-cost-state')], [null, 'in_doubt']);
    const entry = recorded(world.gateway.dataDir).at(-1);
    const billed = (await world.upstream.bill()).entries.at(-1);
    assert.ok(entry !== undefined && billed !== undefined);
    assert.deepEqual(
      [entry.status, entry.cost, entry.reason, entry.atRisk],
      ['ok', null, 'answered_later', entry.reserved],
    );
    assert.ok(entry.atRisk !== null && entry.atRisk >= billed.cost);

    await whenStored(world.gateway);
    const earlier = (await report(world.gateway)).summary;
    const [input = 0, cached = 0, output = 0] = ['input', 'cached', 'output'].map((meter) => billed.usage[meter] ?? 0);
    const told = {
      input_tokens: input + cached,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      total_tokens: input + cached + output,
    };
    const resolved = await post(
      `/v1/events/${entry.callId}/resolve`,
      JSON.stringify({ usage: told, reason: 'read when it was done' }),
    );
    const { cost_usd_exact: cost, cost_state: state }: { cost_usd_exact: string; cost_state: string } = JSON.parse(
      resolved.text,
    );
    assert.deepEqual([pico(cost), state], [billed.cost, 'exact']);
    await whenStored(world.gateway);
    const later = (await report(world.gateway)).summary;
    assert.equal(pico(later.total_cost_exact) - pico(earlier.total_cost_exact), billed.cost);
  });

  test("Google's client lists the models that its dialect can call", async () => {
    const { gemini } = makeClients({ url: world.gateway.url, key: world.gateway.adminKey });
    const names: string[] = [];
    for await (const { name } of await gemini.models.list()) names.push(name ?? '');
    assert.ok(names.includes('models/gemini-2.5-flash'), names.join());
  });
});
