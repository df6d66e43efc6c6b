import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '#std';
import { readEntries } from './entry-reader.ts';
import { openJournal, type JournalDeps, type RotatableJournal } from './journal.ts';

/** Material for the journal's tests: small attempts whose entry tells which attempt it is of. */
export const NODE_ID = 'node_0123456789abcdef';

export function scratchDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-journal-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function sampleDeps(dir: string): JournalDeps {
  return { dir, nodeId: NODE_ID, clock: systemClock };
}

/** A journal that is closed with its test: an open one would keep a failed test from ending. */
export async function openSample(t: TestContext, deps: JournalDeps): Promise<RotatableJournal> {
  const journal = await openJournal(deps);
  t.after(() => journal.close());
  return journal;
}

export function sampleIntent(attempt: string): string {
  return JSON.stringify({ call_id: attempt, attempt: 1, note: 'grüße ✓', reserved: '42' });
}

export function sampleEntry(attempt: string): string {
  return `${sampleIntent(attempt).slice(0, -1)},"cost_state":"exact"}`;
}

export type SeenEntry = { readonly seq: number; readonly attempt: string; readonly state: string };

/** Which attempts have entries, in order. */
export function seenEntries(dir: string): SeenEntry[] {
  return Array.from(readEntries(dir), ({ seq, body }) => {
    const { call_id: attempt, cost_state: state } = JSON.parse(body.toString());
    return { seq, attempt: String(attempt), state: String(state) };
  });
}
