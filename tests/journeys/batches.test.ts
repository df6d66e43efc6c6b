import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { pico, startBatchUpstream, startGateway, until, type BatchUpstream, type Gateway } from '#world';
import { makeKey, recorded, report, whenStored, type Recorded } from './record.ts';
import { putBudget, standingOf } from './rules.ts';

const WAIT_MS = 90_000;

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let upstream: BatchUpstream;
let gateway: Gateway;

before(async () => {
  upstream = await startBatchUpstream();
  // Nothing is fetched behind the tests' backs but where they ask for it.
  gateway = await startGateway({
    upstream,
    providers: ['openai', 'anthropic'],
    env: { APPORTION_BATCH_POLL_SECONDS: '0' },
  });
});

after(async () => {
  await gateway?.close();
  await upstream?.close();
});

function openai(key = gateway.adminKey): OpenAI {
  return new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
}

function anthropic(key = gateway.adminKey): Anthropic {
  return new Anthropic({ apiKey: key, baseURL: gateway.url, maxRetries: 0 });
}

type Fields = Readonly<Record<string, unknown>>;

function jsonLines(ids: readonly string[], fieldsOf: (id: string) => Fields = () => ({})): string {
  return ids
    .map((custom_id) => {
      const body = {
        model: 'gpt-4o-mini',
        max_tokens: 20,
        messages: [{ role: 'user', content: 'hi' }],
        ...fieldsOf(custom_id),
      };
      return JSON.stringify({ custom_id, method: 'POST', url: '/v1/chat/completions', body });
    })
    .join('\n');
}

async function createOpenAi(client: OpenAI, text: string, options: { headers?: Record<string, string> } = {}) {
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
  return client.batches.create(
    { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' },
    options,
  );
}

function numbered(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

/** Entries of the lines of a batch, by the id its provider gave each answer. */
function linesNamed(name: string): Recorded[] {
  return recorded(gateway.dataDir).filter(({ upstreamId }) => upstreamId.includes(`${name}-`));
}

function sum(entries: readonly Recorded[]): bigint {
  return entries.reduce((all, { cost }) => all + (cost ?? assert.fail('a line has a cost')), 0n);
}

function billedFor(batch: string): bigint {
  return [...upstream.bill()].reduce((all, [line, cost]) => (line.startsWith(`${batch}/`) ? all + cost : all), 0n);
}

/** The creation's entry and its corrections. */
function creationOf(batch: string): Recorded[] {
  return recorded(gateway.dataDir).filter(({ upstreamId }) => upstreamId === batch);
}

async function released(batch: string): Promise<void> {
  await until(`${batch} to be released`, WAIT_MS, async () => {
    return creationOf(batch).some(({ state }) => state === 'exact') ? true : undefined;
  });
}

test('A31, A33: an OpenAI batch is metered line by line at batch price, to the key and tags of each line, however often it is fetched', async () => {
  const { key } = await makeKey(gateway, { key_alias: 'night shift', metadata: { tags: { from: 'key' } } });
  const ids = numbered(40, 'tagged');
  const text = jsonLines(ids, (id) =>
    id.endsWith('7') ? { metadata: { tags: { feature: 'seven', stage: 'line' } }, user: 'u' } : { tags: ['shared'] },
  );
  const batch = await createOpenAi(openai(key), text, {
    headers: { 'x-apportion-tags': 'stage:batch,feature:nightly' },
  });
  assert.equal(
    upstream.linesOf(batch.id).length,
    40,
    'the provider takes every line, as nothing of ours is left in it',
  );
  const [created] = creationOf(batch.id);
  assert.deepEqual([created?.state, created?.reason, created?.cost], ['in_doubt', 'batch_running', null]);
  assert.ok(created?.atRisk !== null && created !== undefined && created.atRisk > 0n);

  upstream.finish(batch.id);
  const other = openai();
  const over = await other.batches.retrieve(batch.id);
  for (const client of [other, openai(key), other]) {
    const content = await client.files.content(over.output_file_id ?? '');
    assert.equal((await content.text()).trim().split('\n').length, 40);
  }
  const lines = linesNamed('tagged');
  assert.equal(lines.length, 40);
  assert.equal(sum(lines), billedFor(batch.id));
  assert.ok(created.atRisk >= sum(lines), 'no batch costs more than was at risk');
  const keys = new Set(lines.map(({ keyId }) => keyId));
  assert.deepEqual(keys, new Set([created.keyId]));
  for (const { upstreamId, tags, operation, state, countsCall } of lines) {
    const seven = upstreamId.endsWith('7');
    assert.equal(tags['feature'], seven ? 'seven' : 'nightly');
    assert.equal(tags['stage'], seven ? 'line' : 'batch');
    assert.deepEqual([operation, state, countsCall], ['chat', 'exact', true]);
  }
  await released(batch.id);
  await whenStored(gateway);
  const { summary, data } = await report(gateway, { group_by: 'tags.feature' });
  assert.equal(summary.in_doubt_events, 0);
  const row = data.find(({ value }) => value === 'seven');
  assert.equal(pico(row?.total_cost_exact ?? '0'), sum(lines.filter(({ upstreamId }) => upstreamId.endsWith('7'))));
});

test('A32: an Anthropic batch is metered as its results are read, errors and lines that never ran at nothing', async () => {
  const client = anthropic();
  const batch = await client.messages.batches.create({
    requests: numbered(6, 'claude').map((custom_id, index) => ({
      custom_id,
      params: {
        model: 'claude-haiku-4-5',
        max_tokens: 30,
        messages: [{ role: 'user', content: 'hi' }],
        metadata: { user_id: 'u1', ...(index === 0 ? { tags: { feature: 'first' } } : {}) },
      },
    })),
  });
  assert.deepEqual(upstream.linesOf(batch.id)[0]?.body['metadata'], { user_id: 'u1' });
  upstream.finish(batch.id, (id) => (id === 'claude-4' ? 'failed' : id === 'claude-5' ? 'not_run' : 'answered'));
  const results: string[] = [];
  for await (const { custom_id } of await client.messages.batches.results(batch.id)) results.push(custom_id);
  assert.deepEqual(results, numbered(6, 'claude'));
  const lines = linesNamed('claude');
  assert.equal(lines.length, 4);
  assert.equal(sum(lines), billedFor(batch.id));
  assert.equal(lines.find(({ upstreamId }) => upstreamId === 'msg_claude-0')?.tags['feature'], 'first');
  const failed = recorded(gateway.dataDir).filter(({ errorCode }) => errorCode === 'invalid_request_error');
  assert.deepEqual(
    failed.map(({ cost, status }) => [cost, status]),
    [[0n, 'upstream_error']],
  );
  await released(batch.id);
});

test('A32: a cancelled batch bills what was worked on, thoughts included, and gives back the rest', async () => {
  await putBudget(gateway, { id: 'cancelled', limit_usd: '1.00', scope: { 'tags.project': 'cancelled' } });
  const batch = await createOpenAi(openai(), jsonLines(numbered(10, 'stopped')), {
    headers: { 'x-apportion-tags': 'project:cancelled' },
  });
  const held = await standingOf(gateway, 'cancelled');
  assert.equal(held.spent, 0n);
  assert.equal(held.atRisk, creationOf(batch.id)[0]?.atRisk);
  await openai().batches.cancel(batch.id);
  const { output_file_id: output, error_file_id: errors } = await openai().batches.retrieve(batch.id);
  await (await openai().files.content(output ?? '')).text();
  await (await openai().files.content(errors ?? '')).text();
  const lines = linesNamed('stopped');
  assert.equal(lines.length, 5);
  assert.ok(lines.every(({ meters }) => meters['output_reasoning'] === 1));
  await released(batch.id);
  const stands = await until('the budget to have only what was billed', WAIT_MS, async () => {
    const now = await standingOf(gateway, 'cancelled');
    return now.atRisk === 0n ? now : undefined;
  });
  assert.deepEqual(stands, { spent: billedFor(batch.id), reserved: 0n, atRisk: 0n });
});

test('a strict budget with no room for all its lines refuses a batch before the provider hears of it', async () => {
  await putBudget(gateway, { id: 'narrow', limit_usd: '0.000001', scope: { 'tags.project': 'narrow' } });
  const known = upstream.batches().length;
  const headers = { 'x-apportion-tags': 'project:narrow' };
  await assert.rejects(createOpenAi(openai(), jsonLines(numbered(50, 'dear')), { headers }), { status: 402 });
  assert.equal(upstream.batches().length, known);
});

test('a line whose tags cannot be read is refused with its place', async () => {
  const text = jsonLines(['good', 'bad'], (id) => (id === 'bad' ? { entity_type: 'customer' } : {}));
  await assert.rejects(createOpenAi(openai(), text), (error: unknown) => {
    assert.ok(error instanceof OpenAI.APIError);
    assert.match(error.message, /line 2\.body/);
    return error.status === 400;
  });
});

test('a key that may call some models only has them in batches too', async () => {
  const { key } = await makeKey(gateway, { key_alias: 'mini only', models: ['gpt-4o-mini'] });
  await createOpenAi(openai(key), jsonLines(['allowed-0']));
  const dear = jsonLines(['dear-0'], () => ({ model: 'gpt-4o' }));
  await assert.rejects(createOpenAi(openai(key), dear), { status: 403 });
});

test('killed while results are fetched, nothing is lost and nothing doubled', async () => {
  const ids = numbered(300, 'killed');
  const batch = await createOpenAi(openai(), jsonLines(ids));
  upstream.finish(batch.id);
  const { output_file_id: output } = await openai().batches.retrieve(batch.id);
  const { held } = upstream.holdAfter(170);
  const cut = openai()
    .files.content(output ?? '')
    .then((content) => content.text());
  const ended = assert.rejects(cut);
  await held;
  await until('lines to be recorded', WAIT_MS, async () => (linesNamed('killed').length >= 100 ? true : undefined));
  await gateway.kill();
  await ended;
  const early = linesNamed('killed').length;
  assert.ok(early >= 100 && early < 300, `${early} lines were recorded by then`);
  await gateway.restart();
  await (await openai().files.content(output ?? '')).text();
  const lines = linesNamed('killed');
  assert.equal(new Set(lines.map(({ entryId }) => entryId)).size, 300);
  assert.equal(lines.length, 300);
  assert.equal(sum(lines), billedFor(batch.id));
  await released(batch.id);
  await (await openai().files.content(output ?? '')).text();
  assert.equal(linesNamed('killed').length, 300, 'a batch that is done is not metered again');
});

test('ten thousand lines pass as they are metered, and the doctor finds nothing wrong', async () => {
  const ids = numbered(10_000, 'many');
  const batch = await createOpenAi(
    openai(),
    jsonLines(ids, (id) => ({ tags: [`ends:${id.slice(-1)}`] })),
  );
  upstream.finish(batch.id);
  const { output_file_id: output } = await openai().batches.retrieve(batch.id);
  const [first, second] = await Promise.all(
    [1, 2].map(async () => (await openai().files.content(output ?? '')).arrayBuffer()),
  );
  assert.deepEqual(first, second);
  const lines = linesNamed('many');
  assert.equal(lines.length, 10_000);
  assert.equal(sum(lines), billedFor(batch.id));
  await released(batch.id);
  await whenStored(gateway);
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'doctor', '--data-dir', gateway.dataDir]);
  assert.match(stdout, /Nothing is wrong/);
});

test('results that nobody fetches are asked for, by a gateway that was killed meanwhile too', async () => {
  const polled = await startGateway({
    upstream,
    providers: ['openai', 'anthropic'],
    env: { APPORTION_BATCH_POLL_SECONDS: '1' },
  });
  try {
    const client = new OpenAI({ apiKey: polled.adminKey, baseURL: `${polled.url}/v1`, maxRetries: 0 });
    const batch = await createOpenAi(client, jsonLines(numbered(20, 'alone')));
    const claude = new Anthropic({ apiKey: polled.adminKey, baseURL: polled.url, maxRetries: 0 });
    const message = { role: 'user' as const, content: 'hi' };
    const requests = [
      { custom_id: 'alone-c', params: { model: 'claude-haiku-4-5', max_tokens: 9, messages: [message] } },
    ];
    const other = await claude.messages.batches.create({ requests });
    await polled.kill();
    upstream.finish(batch.id, (id) => (id === 'alone-3' ? 'failed' : 'answered'));
    upstream.finish(other.id);
    await polled.restart();
    const lines = await until('all lines to be metered', WAIT_MS, async () => {
      const found = recorded(polled.dataDir).filter(({ upstreamId }) => upstreamId.includes('alone-'));
      return found.length === 20 ? found : undefined;
    });
    assert.equal(sum(lines), billedFor(batch.id) + billedFor(other.id));
    await until('both to be released', WAIT_MS, async () => {
      const done = recorded(polled.dataDir).filter(
        ({ state, reason }) => state === 'exact' && reason === 'batch_settled',
      );
      return done.length === 2 ? true : undefined;
    });
  } finally {
    await polled.close();
  }
});
