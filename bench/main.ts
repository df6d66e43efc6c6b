import { cpus, tmpdir } from 'node:os';
import { startGateway, until, type Gateway } from '#world';
import { endChild, startChild } from './children.ts';
import { measureDisk } from './disk.ts';
import { measureLatency, measureThroughput, type Plan } from './measure.ts';
import { runPart } from './parts.ts';
import { startPeers } from './peers.ts';
import { processUsage } from './process-usage.ts';
import { reportDisk, reportLatency, reportMemory, reportThroughput, say } from './report.ts';
import type { Target } from './target.ts';

if (await runPart(process.argv.slice(2))) process.exit(0);
const words = new Set(process.argv.slice(2));
const unknown = [...words].filter((word) => !['quick', 'peers'].includes(word));
if (unknown.length > 0) throw new Error(`npm run bench knows the words "quick" and "peers", not ${unknown.join(', ')}`);
const seconds = words.has('quick') ? 2 : 5;
const rounds = words.has('quick') ? 1 : 3;

say(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}`);
const disk = await measureDisk(tmpdir());
const upstream = await startChild('upstream.ts');
const relay = await startChild('relay.ts', [upstream.url]);
const load = await startChild('load.ts');
const gateway = await startGateway({
  upstream: { baseUrl: `${upstream.url}/v1`, apiKey: 'sk-upstream' },
  env: { APPORTION_LOG_LEVEL: 'warn' },
});
const peers = words.has('peers') ? await startPeers(upstream.url) : [];

const target = (name: string, url: string, rest: Partial<Target> = {}): Target => ({
  name,
  url,
  headers: {},
  tagged: true,
  pid: null,
  ...rest,
});
const directTarget = target('direct', upstream.url);
const relayTarget = target('relay', relay.url, { pid: relay.pid });
const key = await makeKey(gateway);
const gatewayTarget = target('apportion', gateway.url, {
  headers: { authorization: `Bearer ${key}` },
  pid: gateway.pid(),
});
const plan = (targets: readonly Target[], kind: Plan['kind']): Plan => ({
  targets,
  kind,
  rounds,
  durationMs: seconds * 1000,
});

let answered = 0;
for (const kind of ['json', 'stream'] as const) {
  const throughput = await measureThroughput(
    load,
    plan([relayTarget, gatewayTarget, ...peers.map((peer) => peer.target)], kind),
  );
  reportThroughput(kind === 'json' ? 'whole answers' : 'streams', throughput);
  answered += throughput.find((result) => result.target === gatewayTarget)?.answered ?? 0;
}
for (const kind of ['json', 'stream'] as const) {
  const latency = await measureLatency(
    load,
    plan([directTarget, relayTarget, gatewayTarget, ...peers.map((peer) => peer.target)], kind),
  );
  reportLatency(kind === 'json' ? 'whole answers' : 'streams', latency);
  answered += latency.find((result) => result.target === gatewayTarget)?.answered ?? 0;
}
reportDisk(disk);
reportMemory('gateway', await processUsage(gateway.pid()));
for (const peer of peers) reportMemory(peer.target.name, await processUsage(peer.target.pid ?? -1));
await reportLedger(gateway, answered);

await gateway.close();
for (const peer of peers) await peer.close();
for (const child of [load, relay, upstream]) await endChild(child);

async function makeKey({ url, adminKey }: Gateway): Promise<string> {
  const answer = await fetch(`${url}/key/generate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key_alias: 'bench' }),
  });
  if (!answer.ok) throw new Error(`no key: ${answer.status} ${await answer.text()}`);
  const made: { key: string } = JSON.parse(await answer.text());
  return made.key;
}

/** A fast gateway that recorded nothing would be no result: every answered call must be in the store. */
async function reportLedger({ url, adminKey }: Gateway, calls: number): Promise<void> {
  const startedAt = performance.now();
  const inStore = async (): Promise<number> => {
    const answer = await fetch(`${url}/v1/analytics/costs?start_date=2020-01-01`, {
      headers: { authorization: `Bearer ${adminKey}` },
    });
    const report: { summary: { total_events: number } } = JSON.parse(await answer.text());
    return report.summary.total_events;
  };
  const events = await until('the store to hold every answered call', 120_000, async () => {
    const count = await inStore();
    return count >= calls ? count : undefined;
  });
  const lag = performance.now() - startedAt;
  say(`ledger: ${calls} calls answered, ${events} in the store, complete ${ms(lag)} after the last round`);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
