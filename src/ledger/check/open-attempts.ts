import type { TimestampMs } from '#std';
import type { Findings } from './finding.ts';

export type OpenAttempts = {
  /** The intent's text by attempt. */
  readonly open: ReadonlyMap<string, string>;
  readonly writer: 'running' | 'stopped';
  readonly now: TimestampMs;
  /** No call takes longer. */
  readonly totalMs: number;
};

/** Clocks, and a call's own way to its end, take some time too. */
const TOLERANCE_MS = 60_000;

/** Attempts without an end: calls in flight, and those that a crash or a fault left behind. */
export function checkOpenAttempts({ open, writer, now, totalMs }: OpenAttempts, findings: Findings): void {
  if (writer === 'stopped') {
    if (open.size === 0) return;
    const what = `${open.size} attempts were running when the server ended; the next start writes them down as in doubt`;
    return findings.notice('journal.attempts', what);
  }
  for (const [attempt, text] of open) {
    const since = startOf(text);
    if (since !== null && now - since > totalMs + TOLERANCE_MS) {
      const seconds = Math.round((now - since) / 1000);
      findings.fault('journal.attempts', `attempt ${attempt} is open for ${seconds} s, and no call takes that long`);
    }
  }
}

function startOf(intent: string): number | null {
  try {
    const json: unknown = JSON.parse(intent);
    if (typeof json !== 'object' || json === null || !('effective_at' in json)) return null;
    const at = Date.parse(String(json.effective_at));
    return Number.isNaN(at) ? null : at;
  } catch {
    return null;
  }
}
