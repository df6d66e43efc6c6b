import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  driveLoad,
  pico,
  picoText,
  planCalls,
  seededRandom,
  startGateway,
  startUpstreamProcess,
  type BillEntry,
  type Gateway,
  type PlannedCall,
} from '#world';
import { makeKey, recorded, report, whenStored, type Recorded } from './record.ts';

const KILLS = 3;
const CONCURRENCY = 24;
/** Prompts are as many tokens long as their number says, which is how a line of the bill finds its call. */
const FIRST_PROMPT_TOKENS = 1_000;

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function* endlessly(seed: number, over: () => boolean): Generator<PlannedCall> {
  for (const call of planCalls({ count: 100_000, seed, behaviour: { chunk_delay: 3, delay: 4, cached_tokens: 0 } })) {
    if (over()) return;
    const text = `${call.text} prompt_tokens=${FIRST_PROMPT_TOKENS + call.number}`;
    yield { ...call, text, fields: { tags: { n: String(call.number), feature: `f${call.number % 3}` } } };
  }
}

function promptTokens({ usage }: BillEntry): number {
  return Object.entries(usage).reduce((sum, [meter, tokens]) => (meter === 'output' ? sum : sum + tokens), 0);
}

/** The provider's words for what is on its bill. */
function usageOf({ usage }: BillEntry): object {
  const written = usage['cache_write'];
  const details = {
    cached_tokens: usage['cached'] ?? 0,
    ...(written === undefined ? {} : { cache_write_tokens: written }),
  };
  const prompt = Object.entries(usage).reduce((sum, [meter, tokens]) => (meter === 'output' ? sum : sum + tokens), 0);
  const completion = usage['output'] ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: details,
  };
}

async function post(gateway: Gateway, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function inDoubt(gateway: Gateway): Promise<readonly string[]> {
  const answer = await fetch(`${gateway.url}/v1/in-doubt?limit=1000`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  const { data, has_more }: { data: { entry_id: string }[]; has_more: boolean } = JSON.parse(await answer.text());
  assert.equal(has_more, false);
  return data.map((one) => one.entry_id);
}

/** Makes calls until the gateway was killed `KILLS` times under them. */
async function killUnderLoad(gateway: Gateway, key: string, seed: number): Promise<void> {
  const random = seededRandom(seed);
  let up = Promise.resolve();
  let over = false;
  let strike = { after: 0, now: () => {} };
  const load = driveLoad({
    calls: endlessly(seed, () => over),
    concurrency: CONCURRENCY,
    target: async () => {
      await up;
      return { url: gateway.url, key };
    },
    onOutcome: ({ acknowledged }) => {
      if (!acknowledged) return;
      strike.after -= 1;
      if (strike.after === 0) strike.now();
    },
  });
  for (let kills = 0; kills < KILLS; kills += 1) {
    await new Promise<void>((resolve) => {
      strike = { after: random.between(20, 80), now: resolve };
    });
    up = gateway.kill().then(() => gateway.restart());
    await up;
  }
  over = true;
  await load;
}

test('kill -9 under load, then every doubt is resolved from the upstream’s bill: the report equals the bill exactly', async (t) => {
  const seed = Number(process.env['APPORTION_TEST_SEED'] ?? randomInt(1_000_000));
  t.diagnostic(`seed ${seed} (repeat with APPORTION_TEST_SEED=${seed})`);
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream });
  t.after(() => gateway.close());
  const { key } = await makeKey(gateway, { key_alias: 'load' });
  await killUnderLoad(gateway, key, seed);
  const entries = await whenStored(gateway);
  const bill = await upstream.bill();
  const lines = new Map(bill.entries.map((entry) => [promptTokens(entry) - FIRST_PROMPT_TOKENS, entry]));
  assert.equal(lines.size, bill.entries.length, 'each line of the bill is of one call');
  const lost = entries.filter(({ state }) => state === 'in_doubt');
  const billed = lost.filter(({ tags }) => lines.has(Number(tags['n'])));
  t.diagnostic(`${entries.length} calls, ${lost.length} in doubt, ${billed.length} of them billed`);
  assert.ok(billed.length > 0, 'no kill hit a call that was billed: the test showed nothing');
  const before = await report(gateway);
  assert.ok(pico(before.summary.total_cost_exact) < bill.total);

  const resolve = async ({ entryId, tags }: Recorded): Promise<Record<string, unknown>> => {
    const number = Number(tags['n']);
    const line = lines.get(number);
    const reason = line === undefined ? 'not on the bill' : `line ${line.id} of the bill`;
    // Half of them by what they cost, half by what they used.
    const said =
      line !== undefined && number % 2 === 0
        ? { usage: usageOf(line) }
        : { cost_usd: line === undefined ? '0' : picoText(line.cost) };
    return post(gateway, `/v1/events/${entryId}/resolve`, { ...said, reason });
  };

  await t.test('the list has every call in doubt', async () => {
    const listed = await inDoubt(gateway);
    assert.deepEqual(listed.toSorted(), lost.map(({ entryId }) => entryId).toSorted());
  });

  await t.test('resolved in the middle of a kill, and then again, none of them twice', async () => {
    const half = lost.slice(0, Math.ceil(lost.length / 2));
    const [first, ...others] = half.map((entry) => resolve(entry));
    await first;
    const cut = Promise.allSettled(others);
    await gateway.kill();
    await cut;
    await gateway.restart();
    await whenStored(gateway);
    for (const entry of lost) await resolve(entry);
    assert.deepEqual(await inDoubt(gateway), []);
    const corrections = recorded(gateway.dataDir).filter(({ entryId }) => entryId.includes('.correction.'));
    assert.equal(corrections.length, lost.length);
  });

  await t.test('the report is the bill, to the pico-dollar and in every breakdown', async () => {
    await whenStored(gateway);
    for (const groupBy of ['model', 'key', 'tags.feature', 'tags.n', 'kind', 'cost_state', 'day', 'status']) {
      const { data, summary } = await report(gateway, { group_by: groupBy, limit: '10000' });
      assert.equal(pico(summary.total_cost_exact), bill.total, groupBy);
      assert.equal(
        data.reduce((sum, row) => sum + pico(row.total_cost_exact), 0n),
        bill.total,
        groupBy,
      );
      assert.deepEqual(
        [summary.in_doubt_events, summary.at_risk_exact, summary.unpriced_events, summary.total_events],
        [0, '0', 0, entries.length],
      );
    }
    const { data } = await report(gateway, { group_by: 'tags.n', limit: '10000' });
    const costs = new Map(data.map((row) => [Number(row.value), pico(row.total_cost_exact)]));
    const wrong = [...lines].filter(([number, { cost }]) => costs.get(number) !== cost);
    assert.deepEqual(wrong, []);
  });

  await t.test('and with a credit of the provider, what is left to pay', async () => {
    const credit = { amount_usd: '-0.01', reason: 'a credit', idempotency_key: 'credit', provider: 'openai' };
    const [one, again] = [
      await post(gateway, '/v1/adjustments', credit),
      await post(gateway, '/v1/adjustments', credit),
    ];
    assert.deepEqual(again, one);
    const { summary } = await report(gateway);
    assert.equal(pico(summary.total_cost_exact), bill.total - pico('0.01'));
  });

  await t.test('the doctor finds nothing wrong with any of it', async () => {
    await gateway.stop();
    const said = await new Promise<{ code: number | string | null; text: string }>((done) => {
      const args = [CLI, 'doctor', '--data-dir', gateway.dataDir, '--deep'];
      const child = execFile(process.execPath, args, (_, stdout, stderr) => {
        done({ code: child.exitCode, text: stdout + stderr });
      });
    });
    assert.equal(said.code, 0, said.text);
  });
});
