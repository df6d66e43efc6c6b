import { runRound, type Child } from './children.ts';
import type { RoundResult } from './load.ts';
import { processUsage } from './process-usage.ts';
import { quantile } from './quantile.ts';
import { callTo, type Target } from './target.ts';

export type Kind = 'json' | 'stream';

export type Throughput = {
  readonly target: Target;
  readonly callsPerSecond: readonly number[];
  /** Processor time per call, microseconds. */
  readonly cpuUs: readonly Cpu[];
  readonly answered: number;
  readonly failed: number;
};

/** Of the target's own process and of its child processes (the gateway's ledger process). */
export type Cpu = { readonly own: number; readonly children: number };

export type Latency = {
  readonly target: Target;
  readonly totalMs: readonly number[];
  readonly firstByteMs: readonly number[];
  readonly answered: number;
  readonly failed: number;
};

export type Plan = {
  readonly targets: readonly Target[];
  readonly kind: Kind;
  readonly rounds: number;
  readonly durationMs: number;
};

const CONNECTIONS = 64;
const CALLS_PER_SECOND = 500;
const WARM_UP_MS = 3_000;

/**
 * A B A B, never AA BB: a machine that slows down or warms up during the run does so to both.
 */
async function interleaved(
  load: Child,
  plan: Plan,
  loop: Parameters<typeof runRound>[1]['loop'],
): Promise<Map<Target, Sample[]>> {
  const samples = new Map(plan.targets.map((target): [Target, Sample[]] => [target, []]));
  for (const target of plan.targets) {
    const warmUp = await runRound(load, { ...callTo(target, plan.kind), durationMs: WARM_UP_MS, loop });
    samples.get(target)?.push({ result: warmUp, cpu: UNKNOWN_CPU, measured: false });
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const target of plan.targets) {
      const before = await cpuSeconds(target);
      const result = await runRound(load, { ...callTo(target, plan.kind), durationMs: plan.durationMs, loop });
      const after = await cpuSeconds(target);
      const cpu = { own: after.own - before.own, children: after.children - before.children };
      samples.get(target)?.push({ result, cpu, measured: true });
    }
  }
  return samples;
}

type Sample = { readonly result: RoundResult; readonly cpu: Cpu; readonly measured: boolean };

const UNKNOWN_CPU: Cpu = { own: Number.NaN, children: Number.NaN };

async function cpuSeconds(target: Target): Promise<Cpu> {
  const [own, ...children] = target.pid === null ? [] : await processUsage(target.pid);
  if (own === undefined) return UNKNOWN_CPU;
  return { own: own.cpuSeconds, children: children.reduce((sum, child) => sum + child.cpuSeconds, 0) };
}

export async function measureThroughput(load: Child, plan: Plan): Promise<Throughput[]> {
  const samples = await interleaved(load, plan, { kind: 'closed', connections: CONNECTIONS });
  return Array.from(samples, ([target, all]) => {
    const measured = all.filter((sample) => sample.measured);
    return {
      target,
      callsPerSecond: measured.map(({ result }) => result.calls / result.seconds),
      cpuUs: measured.map(({ cpu, result }) => ({
        own: (cpu.own * 1e6) / result.calls,
        children: (cpu.children * 1e6) / result.calls,
      })),
      ...totals(all),
    };
  });
}

export async function measureLatency(load: Child, plan: Plan): Promise<Latency[]> {
  const samples = await interleaved(load, plan, { kind: 'open', perSecond: CALLS_PER_SECOND });
  return Array.from(samples, ([target, all]) => {
    const measured = all.filter((sample) => sample.measured);
    return {
      target,
      totalMs: measured.flatMap(({ result }) => result.totalMs),
      firstByteMs: measured.flatMap(({ result }) => result.firstByteMs),
      ...totals(all),
    };
  });
}

/** Warm-up calls count as well: the ledger has recorded them too. */
function totals(samples: readonly Sample[]): { answered: number; failed: number } {
  return {
    answered: samples.reduce((sum, { result }) => sum + result.calls, 0),
    failed: samples.reduce((sum, { result }) => sum + result.failed, 0),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
