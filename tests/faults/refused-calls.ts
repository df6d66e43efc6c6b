import assert from 'node:assert/strict';
import { until } from '#world';
import type { Scene } from './scene.ts';
import type { SteadyHeard } from './steady-calls.ts';

const PROBES = 10;
const REPORT_MS = 60_000;

/**
 * A gateway whose journal cannot write: paid calls get 503 with a hint and reach no provider, readiness says why, metrics count it,
 * and everything else is served.
 */
export async function assertFailsStop({ gateway, upstream, key }: Scene, refused: SteadyHeard): Promise<void> {
  assert.equal(refused.status, 503);
  assertRefusal(refused.refusal);
  const before = (await upstream.bill()).entries.length;
  for (let probe = 0; probe < PROBES; probe += 1) {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'seed=1' }] }),
    });
    assert.equal(answer.status, 503);
    assertRefusal(await answer.text());
  }
  assert.equal((await upstream.bill()).entries.length, before, 'a refused call reached the provider');
  const ready = await fetch(`${gateway.url}/readyz`);
  assert.deepEqual([ready.status, await ready.text()], [503, 'the journal cannot write\n']);
  assert.ok((await readMetric(gateway.url, 'apportion_journal_failures_total')) > PROBES);
  assert.match(gateway.output(), /a call is refused because the journal cannot write/);
  const models = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(models.status, 200);
  await until('reports to be served', REPORT_MS, async () => {
    const headers = { authorization: `Bearer ${gateway.adminKey}` };
    const costs = await fetch(`${gateway.url}/v1/analytics/costs`, { headers });
    await costs.arrayBuffer();
    return costs.status === 200 ? true : undefined;
  });
}

export async function readMetric(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1];
  assert.ok(value !== undefined, `/metrics has no ${name}`);
  return Number(value);
}

/** As the provider's own clients read an error. */
function assertRefusal(text: string): void {
  const { error }: { error: { code: string; message: string; hint?: string } } = JSON.parse(text);
  assert.equal(error.code, 'journal_unavailable');
  assert.match(JSON.stringify(error), /restart once the disk is well/);
}
