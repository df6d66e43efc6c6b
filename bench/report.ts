import type { DiskTimes } from './disk.ts';
import { median, type Cpu, type Latency, type Throughput } from './measure.ts';
import type { ProcessUsage } from './process-usage.ts';
import { quantile, shareBetween } from './quantile.ts';

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;

export function reportThroughput(title: string, results: readonly Throughput[]): void {
  say(`\n${title}: calls per second, 64 connections, closed loop`);
  const relay = results.find(({ target }) => target.name === 'relay');
  for (const { target, callsPerSecond, cpuUs, failed } of results) {
    if (median(callsPerSecond) === 0) {
      say(`  ${target.name.padEnd(10)} answers none of these calls here (${failed} failed)`);
      continue;
    }
    const rounds = callsPerSecond.map((rate) => rate.toFixed(0)).join(' ');
    const ratio = relay === undefined ? Number.NaN : median(callsPerSecond) / median(relay.callsPerSecond);
    const cpu = cpuText(cpuUs);
    const share = target === relay?.target ? '' : `  ${(ratio * 100).toFixed(1)} % of the relay`;
    const failures = failed === 0 ? '' : `  ${failed} FAILED`;
    say(
      `  ${target.name.padEnd(10)} ${median(callsPerSecond).toFixed(0).padStart(6)}  (${rounds})${share}${cpu}${failures}`,
    );
  }
}

function cpuText(cpuUs: readonly Cpu[]): string {
  const own = median(cpuUs.map((cpu) => cpu.own));
  const children = median(cpuUs.map((cpu) => cpu.children));
  if (Number.isNaN(own)) return '';
  const beside = children > 0 ? ` + ${children.toFixed(0)} in its child processes` : '';
  return `  CPU per call ${own.toFixed(0)} µs${beside}`;
}

export function reportLatency(title: string, results: readonly Latency[]): void {
  say(`\n${title}: latency at 500 calls per second, open loop`);
  const direct = results.find(({ target }) => target.name === 'direct');
  for (const result of results) {
    const { target, totalMs, firstByteMs, failed } = result;
    if (totalMs.length === 0) {
      say(`  ${target.name.padEnd(10)} answers none of these calls here (${failed} failed)`);
      continue;
    }
    const own = `p50 ${ms(quantile(totalMs, 0.5))}  p99 ${ms(quantile(totalMs, 0.99))}  max ${ms(Math.max(...totalMs))}`;
    const failures = failed === 0 ? '' : `  ${failed} FAILED`;
    say(
      `  ${target.name.padEnd(10)} ${own}  first byte p50 ${ms(quantile(firstByteMs, 0.5))} p99 ${ms(quantile(firstByteMs, 0.99))}${failures}`,
    );
    if (direct === undefined || direct === result) continue;
    say(
      `  ${''.padEnd(10)} added: ${added(totalMs, direct.totalMs)}; first byte ${added(firstByteMs, direct.firstByteMs)}; ${mode(totalMs)}`,
    );
  }
}

function added(loaded: readonly number[], without: readonly number[]): string {
  const difference = (share: number): string => {
    const more = quantile(loaded, share) - quantile(without, share);
    return `${more < 0 ? '' : '+'}${ms(more)}`;
  };
  return `p50 ${difference(0.5)}, p99 ${difference(0.99)}`;
}

/** Delayed acknowledgements meeting Nagle's algorithm show as a second hump at 40 ms. */
const MODE_LOW_MS = 38;
const MODE_HIGH_MS = 46;

function mode(totalMs: readonly number[]): string {
  const hump = shareBetween(totalMs, MODE_LOW_MS, MODE_HIGH_MS);
  const neighbours =
    shareBetween(totalMs, MODE_LOW_MS - 8, MODE_LOW_MS) + shareBetween(totalMs, MODE_HIGH_MS, MODE_HIGH_MS + 8);
  const found = hump > 0.001 && hump > neighbours;
  return `${found ? 'A 40 MS MODE' : 'no 40 ms mode'} (${(hump * 100).toFixed(2)} % between ${MODE_LOW_MS} and ${MODE_HIGH_MS} ms)`;
}

export function reportDisk({ syncMs, isMemory }: DiskTimes): void {
  const kind = isMemory ? ' (MEMORY, NOT A DISK: durable figures mean nothing here)' : '';
  say(
    `\nthe disk alone: append + fdatasync p50 ${ms(quantile(syncMs, 0.5))}  p99 ${ms(quantile(syncMs, 0.99))}${kind}`,
  );
}

export function reportMemory(name: string, processes: readonly ProcessUsage[]): void {
  if (processes.length === 0) return say(`${name} memory: not known on this platform`);
  const [own, ...children] = processes.map(({ rssMb, peakMb }) => `${rssMb} MB (peak ${peakMb} MB)`);
  say(`${name} memory: ${own}${children.length === 0 ? '' : `; its child processes: ${children.join(', ')}`}`);
}
