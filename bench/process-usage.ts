import { readFile } from 'node:fs/promises';

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
    // The name in the second field may hold spaces, so the fields are counted from behind its closing bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const usage = {
      pid,
      rssMb: megabytes(status, 'VmRSS'),
      peakMb: megabytes(status, 'VmHWM'),
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
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

function megabytes(status: string, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return Math.round(Number(kilobytes ?? Number.NaN) / 1024);
}
