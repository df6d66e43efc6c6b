import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { picoText, startGateway, startRedis, until, withoutRedis, type Gateway } from '#world';
import { send, type Sent } from './attributed.ts';
import { startHoldingUpstream, type HoldingUpstream } from './holding-upstream.ts';
import { makeKey, recorded } from './record.ts';
import { putBudget, standingOf } from './rules.ts';

const CALLS = 200;
const FITTING = 10n;
const WAIT_MS = 120_000;

test(
  'D1: 200 calls at once through two machines against a strict budget that fits ten: ten are admitted',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis();
    t.after(() => redis.close());
    const upstream = await startHoldingUpstream();
    t.after(() => upstream.close());
    const options = {
      env: { REDIS_URL: redis.url },
      config: { providers: { openai: { base_url: upstream.baseUrl, api_key: upstream.apiKey } } },
    };
    const first = await startGateway(options);
    t.after(() => first.close());
    const { key } = await makeKey(first, {});
    const bound = await boundOf(first, { upstream, key });
    await putBudget(first, { id: 'acme', scope: { 'tags.customer': 'acme' }, limit_usd: picoText(FITTING * bound) });
    const second = await anotherLike(first, options);
    t.after(second.leave);
    const gateways = [first, second.gateway] as const;
    let refused = 0;
    const answers = Array.from({ length: CALLS }, async (_, at) => {
      const answer = await send(gateways[at % 2 === 0 ? 0 : 1], callOf(key, at % 4 < 2));
      if (answer.status !== 200) refused += 1;
      return answer;
    });
    await until('every decision', WAIT_MS, async () =>
      refused + upstream.waiting().length === CALLS ? true : undefined,
    );
    assert.equal(upstream.waiting().length, Number(FITTING));
    upstream.release();
    const done = await Promise.all(answers);
    assert.equal(done.filter(({ status }) => status === 402).length, CALLS - Number(FITTING));
    const spent = await Promise.all(gateways.map(async (gateway) => (await standingOf(gateway, 'acme')).spent));
    const entries = gateways.flatMap((gateway) => recorded(gateway.dataDir));
    const settled = entries.filter(({ tags }) => tags['customer'] === 'acme');
    assert.equal(settled.length, Number(FITTING));
    assert.equal(
      spent.reduce((sum, one) => sum + one, 0n),
      settled.reduce((sum, { cost }) => sum + (cost ?? assert.fail('a known cost')), 0n),
    );
  },
);

/** What a call holds, by one that no budget counts. */
async function boundOf(gateway: Gateway, { upstream, key }: { upstream: HoldingUpstream; key: string }) {
  const answering = send(gateway, { ...callOf(key, false), headers: {} });
  await until('a call', WAIT_MS, async () => (upstream.waiting().length === 1 ? true : undefined));
  upstream.release();
  await answering;
  const [entry] = recorded(gateway.dataDir);
  return entry?.reserved ?? assert.fail('a call has a bound');
}

function callOf(key: string, stream: boolean): Sent {
  const messages = [{ role: 'user', content: 'Hold.' }];
  const body = { model: 'gpt-4o-mini', stream, max_completion_tokens: 50, messages };
  return { body, key, headers: { 'x-apportion-tags': 'customer=acme' } };
}

type Options = Parameters<typeof startGateway>[0];

/** Another machine with the same keys and budgets, and a journal of its own. */
async function anotherLike(
  gateway: Gateway,
  options: Options,
): Promise<{ readonly gateway: Gateway; leave(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'apportion-second-'));
  const dataDir = join(folder, 'data');
  await gateway.stop();
  await mkdir(dataDir, { recursive: true });
  for (const file of ['control.db', 'control-snapshot.json'])
    await cp(join(gateway.dataDir, file), join(dataDir, file));
  await gateway.restart();
  const second = await startGateway({ ...options, dataDir });
  const leave = async (): Promise<void> => {
    await second.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { gateway: second, leave };
}
