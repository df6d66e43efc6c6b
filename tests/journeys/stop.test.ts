import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import {
  driveLoad,
  pico,
  planCalls,
  startGateway,
  startUpstreamProcess,
  until,
  type Gateway,
  type Upstream,
} from '#world';
import { recorded, whenStored } from './record.ts';

describe('a gateway that stops, or whose parts do', () => {
  let upstream: Upstream;
  let dataDir: string;
  let gateway: Gateway;

  before(async () => {
    upstream = await startUpstreamProcess();
    dataDir = await mkdtemp(join(tmpdir(), 'apportion-stop-'));
    gateway = await startGateway({ upstream, dataDir });
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  test('a second gateway on the same data directory refuses to start and names the process that holds it', async () => {
    await assert.rejects(startGateway({ upstream, dataDir }), (error: Error) => {
      assert.match(error.message, /ended \([1-9]\d*\) before it was ready/);
      assert.ok(error.message.includes(String(gateway.pid())), error.message);
      return true;
    });
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200);
  });

  test('SIGTERM lets a running stream finish, takes no new call, and exits with 0', async () => {
    const client = new OpenAI({ apiKey: gateway.adminKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'seed=8 chunk_delay=150 completion_tokens=90' }],
      stream: true,
    });
    const chunks = stream[Symbol.asyncIterator]();
    const first = await chunks.next();
    const stopped = gateway.stop();
    await until('the stopping gateway to take no connection', 5_000, async () => {
      const refused = await fetch(`${gateway.url}/v1/models`, {
        headers: { authorization: `Bearer ${gateway.adminKey}` },
      }).then(
        (answer) => answer.status === 503,
        () => true,
      );
      return refused ? true : undefined;
    });
    let finish: string | null = null;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      finish ??= next.value.choices[0]?.finish_reason ?? null;
    }
    assert.equal(finish, 'stop');
    assert.deepEqual(await stopped, { code: 0, signal: null });
    const id = first.done === true ? '' : first.value.id;
    const billed = (await upstream.bill()).entries.find((entry) => entry.id === id);
    assert.deepEqual(
      recorded(dataDir)
        .filter((entry) => entry.upstreamId === id)
        .map(({ state, cost }) => ({ state, cost })),
      [{ state: 'exact', cost: billed?.cost }],
    );
    await gateway.restart();
  });

  test('killing the ledger process disturbs no call, and the next one catches up', { skip: noProc() }, async () => {
    const [ledger] = await childrenOf(gateway.pid());
    assert.ok(ledger !== undefined, 'the gateway has no child process');
    let answered = 0;
    const outcomes = await driveLoad({
      calls: planCalls({ count: 200, seed: 31 }),
      concurrency: 16,
      target: async () => ({ url: gateway.url, key: gateway.adminKey }),
      onOutcome: () => {
        answered += 1;
        if (answered === 60) process.kill(ledger, 'SIGKILL');
      },
    });
    assert.deepEqual(
      outcomes.filter(({ acknowledged }) => !acknowledged),
      [],
    );
    const next = await until('another ledger process', 30_000, async () =>
      (await childrenOf(gateway.pid())).find((pid) => pid !== ledger),
    );
    assert.notEqual(next, ledger);
    const entries = await until('reports to be served again', 60_000, () => whenStored(gateway).catch(() => undefined));
    const costs = new Map(entries.map((entry) => [entry.upstreamId, entry.cost]));
    for (const { upstreamId, cost } of outcomes) assert.equal(costs.get(upstreamId), pico(cost));
  });
});

function noProc(): string | false {
  return process.platform === 'linux' ? false : 'child processes are found through /proc, which only Linux has';
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
