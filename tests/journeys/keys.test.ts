import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeCall, planCalls, startGateway, startUpstream, type Gateway, type Upstream } from '#world';
import { makeKey, recorded, report, reportedRows, whenStored } from './record.ts';

const run = promisify(execFile);

describe('keys and the tags they bring', () => {
  let upstream: Upstream;
  let gateway: Gateway;

  before(async () => {
    // The page of the LiteLLM seed calls gpt-4.
    const gpt4 = {
      snapshot: 'gpt-4-0613',
      input: 30_000_000n,
      cached: 30_000_000n,
      output: 60_000_000n,
      reasons: false,
    };
    upstream = await startUpstream({ models: { 'gpt-4': gpt4 } });
    gateway = await startGateway({ upstream });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  test('a key works on the very next call, and that call inherits its tags beside its own', async () => {
    const metadata = { tags: ['AWS_IAM_PROD', 'team-backend', 'feature:search'] };
    const made = await makeKey(gateway, { metadata });
    assert.match(made.key, /^sk-ap-/);
    assert.deepEqual(made['metadata'], metadata);
    assert.equal(typeof made['key_name'], 'string');
    assert.ok('expires' in made);
    const [plan] = planCalls({ count: 1, seed: 1 });
    assert.ok(plan !== undefined);
    const own = { ...plan, fields: { metadata: { tags: ['beta', 'feature:chatbot'] } } };
    const outcome = await makeCall(own, { url: gateway.url, key: made.key });
    assert.deepEqual([outcome.error, outcome.acknowledged], ['', true]);
    const entry = recorded(gateway.dataDir).find(({ callId }) => callId === outcome.callId);
    assert.deepEqual(entry?.tagsSent, ['beta', 'feature:chatbot', 'AWS_IAM_PROD', 'team-backend', 'feature:search']);
    await whenStored(gateway);
    const total = { cost: entry.cost ?? -1n, events: 1 };
    const byLabel = await report(gateway, { group_by: 'label' });
    const byFeature = await report(gateway, { group_by: 'tags.feature' });
    assert.deepEqual(
      reportedRows(byLabel.data),
      new Map([
        ['AWS_IAM_PROD', total],
        ['beta', total],
        ['team-backend', total],
      ]),
    );
    assert.deepEqual(reportedRows(byFeature.data), new Map([['chatbot', total]]));
  });

  test('a hundred keys made while others call each work at once', async () => {
    const [plan] = planCalls({ count: 1, seed: 2 });
    assert.ok(plan !== undefined);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { key } = await makeKey(gateway, { key_alias: `burst-${index}` });
        return makeCall(plan, { url: gateway.url, key });
      }),
    );
    assert.deepEqual(new Set(outcomes.map(({ error }) => error)), new Set(['']));
  });

  test('a call key may not make keys', async () => {
    const { key } = await makeKey(gateway, {});
    const answer = await fetch(`${gateway.url}/key/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{}',
    });
    const { error }: { error: { code: string; hint: string } } = JSON.parse(await answer.text());
    assert.deepEqual([answer.status, error.code], [403, 'not_allowed']);
    assert.ok(error.hint);
  });

  // The two curls of LiteLLM's page on request tags, word for word but for host and key.
  test('the page’s curl that makes a call with the master key works', async () => {
    const { stdout } = await curl(`curl -sS -X POST '${gateway.url}/chat/completions' \\
  -H 'Authorization: Bearer ${gateway.adminKey}' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "model": "gpt-4",
    "messages": [{"role": "user", "content": "Hello"}],
    "metadata": {
      "tags": ["AWS_IAM_PROD", "us-east-1"]
    }
  }'`);
    const answer: { id: string; object: string } = JSON.parse(stdout);
    assert.equal(answer.object, 'chat.completion');
    const entry = recorded(gateway.dataDir).find(({ upstreamId }) => upstreamId === answer.id);
    assert.deepEqual(entry?.tagsSent, ['AWS_IAM_PROD', 'us-east-1']);
    assert.equal(entry.cost, (await upstream.bill()).entries.find(({ id }) => id === answer.id)?.cost);
  });

  test('the page’s curl that makes a key with default tags works', async () => {
    const { stdout } = await curl(`curl -sS -X POST '${gateway.url}/key/generate' \\
  -H 'Authorization: Bearer ${gateway.adminKey}' \\
  -H 'Content-Type: application/json' \\
  -d '{
    "metadata": {
      "tags": ["AWS_IAM_PROD", "team-backend"]
    }
  }'`);
    const made: { key: string; metadata: object } = JSON.parse(stdout);
    assert.deepEqual(made.metadata, { tags: ['AWS_IAM_PROD', 'team-backend'] });
  });

  async function curl(command: string): Promise<{ stdout: string }> {
    return run('bash', ['-c', command]);
  }
});
