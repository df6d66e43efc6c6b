import { setTimeout as wait } from 'node:timers/promises';
import { Connection, requestBytes, type Timing } from './connection.ts';

/** One round, as the benchmark orders it from the load generator's process. */
export type Round = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly durationMs: number;
  /** Closed loop: that many callers, each sending as soon as it has its answer. Open loop: calls leave at a rate, answered or not. */
  readonly loop:
    | { readonly kind: 'closed'; readonly connections: number }
    | { readonly kind: 'open'; readonly perSecond: number };
};

export type RoundResult = {
  readonly calls: number;
  readonly failed: number;
  readonly seconds: number;
  readonly totalMs: readonly number[];
  readonly firstByteMs: readonly number[];
};

type Tally = { failed: number; totalMs: number[]; firstByteMs: number[] };

process.on('message', (round: Round) => {
  run(round).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
process.send?.({ url: '' });

async function run(round: Round): Promise<RoundResult> {
  const url = new URL(round.url);
  const bytes = requestBytes(url, round.headers, round.body);
  const tally: Tally = { failed: 0, totalMs: [], firstByteMs: [] };
  const startedAt = performance.now();
  const endsAt = startedAt + round.durationMs;
  if (round.loop.kind === 'closed') {
    await Promise.all(Array.from({ length: round.loop.connections }, () => closedLoop({ url, bytes, endsAt, tally })));
  } else {
    await openLoop({ url, bytes, endsAt, tally, perSecond: round.loop.perSecond });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  return { calls: tally.totalMs.length, seconds, ...tally };
}

type Loop = { url: URL; bytes: Buffer; endsAt: number; tally: Tally };

function count(tally: Tally, timing: Timing): void {
  if (timing.status !== 200) {
    tally.failed += 1;
    return;
  }
  tally.totalMs.push(timing.totalMs);
  tally.firstByteMs.push(timing.firstByteMs);
}

async function closedLoop({ url, bytes, endsAt, tally }: Loop): Promise<void> {
  let connection = new Connection(url);
  while (performance.now() < endsAt) {
    try {
      count(tally, await connection.request(bytes));
    } catch {
      tally.failed += 1;
      connection.close();
      connection = new Connection(url);
    }
  }
  connection.close();
}

/**
 * A call leaves when its time has come, on an idle connection or a new one, so a slow answer delays no later call and
 * cannot hide. Latency counts from the moment of writing: the timer's own millisecond is not the gateway's.
 */
async function openLoop({ url, bytes, endsAt, tally, perSecond }: Loop & { perSecond: number }): Promise<void> {
  const idle: Connection[] = [];
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  const send = async (): Promise<void> => {
    const connection = idle.pop() ?? new Connection(url);
    try {
      count(tally, await connection.request(bytes));
      idle.push(connection);
    } catch {
      tally.failed += 1;
      connection.close();
    }
  };
  for (let sent = 0; performance.now() < endsAt;) {
    for (const due = ((performance.now() - startedAt) / 1000) * perSecond; sent < due; sent += 1) {
      const call = send().finally(() => running.delete(call));
      running.add(call);
    }
    await wait(1);
  }
  await Promise.all(running);
  for (const connection of idle) connection.close();
}
