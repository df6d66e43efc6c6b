import { readdir, readFile } from 'node:fs/promises';

export type ProcessUsage = {
  readonly pid: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly cpuSeconds: number;
};

const TICKS_PER_SECOND = 100;

/** The process and its children, the process itself first; empty where there is no /proc. */
export async function processUsage(pid: number): Promise<ProcessUsage[]> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const usage = {
      pid,
      rssMb: megabytes(status, 'VmRSS'),
      peakMb: megabytes(status, 'VmHWM'),
      cpuSeconds: namedSeconds(stat).seconds,
    };
    const below = await Promise.all(
      children
        .split(' ')
        .filter(Boolean)
        .map((child) => processUsage(Number(child))),
    );
    return [usage, ...below.flat()];
  } catch {
    return [];
  }
}

/** Processor time of the threads of a process that live, by their names. */
export async function threadSeconds(pid: number): Promise<ReadonlyMap<string, number>> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => '')),
  );
  const byName = new Map<string, number>();
  for (const stat of stats.filter(Boolean)) {
    const { name, seconds } = namedSeconds(stat);
    byName.set(name, (byName.get(name) ?? 0) + seconds);
  }
  return byName;
}

function namedSeconds(stat: string): { readonly name: string; readonly seconds: number } {
  // The name in the second field may hold spaces, so the fields are counted from behind its closing bracket.
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return { name: stat.slice(stat.indexOf('(') + 1, nameEnd), seconds };
}

function megabytes(status: string, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return Math.round(Number(kilobytes ?? Number.NaN) / 1024);
}
