import { callProblems, toCallEntry, type CallEntry } from './call-entries.ts';
import { readFields } from './entry-fields.ts';
import { Findings } from './finding.ts';
import { JournalWalk, type JournalWalkDeps } from './journal-walk.ts';

/** Beyond so many calls the rest is not compared, and said to be not. */
const KEPT_CALLS = 100_000;

/**
 * Calls of which a journal has only what was made of them later: corrections and adjustments are written by the node that adopted the
 * one with the call. They are held to the rules together with what the other journals have of them.
 */
export class CallsElsewhere {
  readonly #calls = new Map<string, CallEntry[]>();
  #left = 0;

  /** @param entries what one journal has of a call, in its order, without an attempt among them */
  add(entries: readonly CallEntry[]): void {
    const callId = callOf(entries);
    const known = this.#calls.get(callId);
    if (known !== undefined) known.push(...entries);
    else if (this.#calls.size < KEPT_CALLS) this.#calls.set(callId, [...entries]);
    else this.#left += 1;
  }

  /** Reads the journals once more, if there is a call to look for. `from` is above 1 where one of them has lost its beginning. */
  check(journals: readonly Omit<JournalWalkDeps, 'findings'>[], findings: Findings, from: number): void {
    if (this.#calls.size === 0) return;
    const origins = this.#find(journals);
    for (const [callId, later] of this.#calls) {
      for (const { rule, what, of } of callProblems([...(origins.get(callId) ?? []), ...later], from))
        findings.fault(rule, what, { seq: of.seq, entryId: of.entryId });
    }
    if (this.#left > 0) findings.notice('calls.corrections', `of ${this.#left} more calls it is not compared`);
  }

  /** What the journals that have the attempts say of these calls. */
  #find(journals: readonly Omit<JournalWalkDeps, 'findings'>[]): ReadonlyMap<string, readonly CallEntry[]> {
    const found = new Map<string, readonly CallEntry[]>();
    for (const journal of journals) {
      for (const [callId, entries] of this.#entriesIn(journal)) {
        if (entries.some(({ kind }) => kind === 'attempt'))
          found.set(callId, [...(found.get(callId) ?? []), ...entries]);
      }
    }
    return found;
  }

  #entriesIn(journal: Omit<JournalWalkDeps, 'findings'>): ReadonlyMap<string, readonly CallEntry[]> {
    const calls = new Map<string, CallEntry[]>();
    // What is wrong with the journal itself was found when it was read the first time.
    for (const { body } of new JournalWalk({ ...journal, findings: new Findings() }).entries()) {
      const entry = readFields(body);
      if ('problem' in entry || !this.#calls.has(entry.callId)) continue;
      // Numbers of two journals say nothing of what came first: the one with the attempt is before the others.
      const placed = toCallEntry(0, entry);
      const known = calls.get(entry.callId);
      if (known === undefined) calls.set(entry.callId, [placed]);
      else known.push(placed);
    }
    return calls;
  }
}

/** Every entry of a call is named after it. */
function callOf([first]: readonly CallEntry[]): string {
  return first?.entryId.split('.', 1)[0] ?? '';
}
