import type { CostState } from '#terms';
import { isUnknown } from './entry-amounts.ts';
import { lineSum } from './entry-charges.ts';
import type { EntryFields } from './entry-fields.ts';
import type { RuleId } from './rules.ts';

/** What is needed of an entry to compare it with the others of its call. */
export type CallEntry = {
  readonly seq: number;
  readonly entryId: string;
  readonly kind: string;
  readonly attempt: number;
  readonly countsCall: number;
  readonly state: string;
  readonly resolves: string;
  readonly cost: bigint | null;
  readonly movedCost: bigint;
  readonly computedCost: bigint | null;
  readonly lines: bigint;
  readonly hasTerms: boolean;
};

export function toCallEntry(seq: number, entry: EntryFields): CallEntry {
  const { entryId, kind, attempt, countsCall, state, resolves, cost, movedCost, computedCost } = entry;
  const hasTerms = entry.priceTerms.length > 0;
  const lines = lineSum(entry.charges);
  return { seq, entryId, kind, attempt, countsCall, state, resolves, cost, movedCost, computedCost, lines, hasTerms };
}

export type CallProblem = { readonly rule: RuleId; readonly what: string; readonly of: CallEntry };

/**
 * What is wrong between the entries of one call.
 * @param entries in the order of the journal
 * @param from the first number the journal still has: what was before is not missed
 */
export function callProblems(entries: readonly CallEntry[], from: number): readonly CallProblem[] {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && only.kind === 'attempt') return countProblems(entries);
  return [
    ...doubleProblems(entries),
    ...countProblems(entries),
    ...correctionProblems(entries, from),
    ...adjustmentProblems(entries, from),
  ];
}

function doubleProblems(entries: readonly CallEntry[]): readonly CallProblem[] {
  const seen = new Map<string, number>();
  const problems: CallProblem[] = [];
  for (const of of entries) {
    const first = seen.get(of.entryId);
    if (first === undefined) seen.set(of.entryId, of.seq);
    else problems.push({ rule: 'calls.unique', what: `it is entry ${first} too`, of });
  }
  return problems;
}

/** A call whose attempts a crash cut in two is counted by none of them; two would show it twice. */
function countProblems(entries: readonly CallEntry[]): readonly CallProblem[] {
  const counting = entries.filter(({ kind, countsCall }) => kind === 'attempt' && countsCall !== 0);
  const sum = counting.reduce((total, { countsCall }) => total + countsCall, 0);
  const last = counting.at(-1);
  if (last === undefined || sum === 1) return [];
  return [{ rule: 'calls.counted', what: `${counting.length} entries of its call count ${sum} calls`, of: last }];
}

function correctionProblems(entries: readonly CallEntry[], from: number): readonly CallProblem[] {
  const problems: CallProblem[] = [];
  const attempts = new Set(entries.filter(({ kind }) => kind === 'correction').map(({ attempt }) => attempt));
  for (const attempt of attempts) {
    const ofAttempt = entries.filter((entry) => entry.attempt === attempt);
    const original = ofAttempt.find(({ kind }) => kind === 'attempt');
    const corrections = ofAttempt.filter(({ kind }) => kind === 'correction');
    const [first] = corrections;
    if (first === undefined) continue;
    if (original === undefined) {
      if (from === 1) problems.push({ rule: 'calls.corrections', what: 'what it corrects is not there', of: first });
    } else if (original.seq > first.seq) {
      problems.push({
        rule: 'calls.corrections',
        what: `it is before entry ${original.seq}, which it corrects`,
        of: first,
      });
    } else problems.push(...chainProblems(original, corrections));
  }
  return problems;
}

/** They stand beside an entry and its corrections, or by themselves, and are numbered of their own. */
function adjustmentProblems(entries: readonly CallEntry[], from: number): readonly CallProblem[] {
  const next = new Map<number, number>();
  return entries.flatMap((of) => {
    if (of.kind !== 'adjustment') return [];
    const [number, expected] = [numberOf(of), next.get(of.attempt) ?? 1];
    next.set(of.attempt, number + 1);
    // Those before it may have been in a file that is gone.
    if (number === expected || (from > 1 && expected === 1)) return [];
    return [{ rule: 'calls.corrections', what: `it is adjustment ${number}, and ${expected} comes next`, of }];
  });
}

/** The n in `….correction.<n>`. */
function numberOf({ entryId }: CallEntry): number {
  return Number(entryId.slice(entryId.lastIndexOf('.') + 1));
}

/** Numbers rise by one; each correction says what state it ends and what was counted there; the end adds up. */
function chainProblems(original: CallEntry, corrections: readonly CallEntry[]): readonly CallProblem[] {
  const problems: CallProblem[] = [];
  const fault = (what: string, of: CallEntry): void => void problems.push({ rule: 'calls.corrections', what, of });
  let standing = { state: original.state, cost: original.cost, sum: original.cost };
  for (const [index, one] of corrections.entries()) {
    const number = numberOf(one);
    if (number !== index + 1) fault(`it is number ${number} of its entry, and ${index + 1} comes next`, one);
    const moves = one.resolves !== '';
    if ((moves ? one.resolves : one.state) !== standing.state || (moves && one.resolves === one.state))
      fault(
        `it goes from ${moves ? one.resolves : one.state} to ${one.state}, and the entry is ${standing.state}`,
        one,
      );
    if (one.movedCost !== (moves && standing.cost !== null ? standing.cost : 0n))
      fault(`it moves ${one.movedCost}, and ${standing.cost} was counted as ${standing.state}`, one);
    const sum = added(standing.sum, one.cost);
    standing = { state: one.state, sum, cost: isUnknown(one.state) ? null : sum };
  }
  const last = corrections.at(-1) ?? original;
  problems.push(...endProblems([original, ...corrections], last));
  return problems;
}

/** What an entry and its corrections add up to is an entry as it would be written now. */
function endProblems(all: readonly CallEntry[], last: CallEntry): readonly CallProblem[] {
  const state = last.state as CostState;
  const sumOf = (read: (entry: CallEntry) => bigint | null): bigint =>
    all
      .map(read)
      .filter((amount) => amount !== null)
      .reduce((sum, amount) => sum + amount, 0n);
  const cost = sumOf(({ cost: amount }) => amount);
  const computed = sumOf(({ computedCost }) => computedCost);
  const lines = sumOf((entry) => entry.lines);
  const what = (text: string): readonly CallProblem[] => [{ rule: 'calls.corrections', what: text, of: last }];
  if (isUnknown(state))
    return cost === 0n && lines === 0n ? [] : what(`the entry is ${state} now, and ${cost} is left of its cost`);
  if (cost < 0n) return what(`the entry costs ${cost} now`);
  if (state !== 'reported' && computed !== cost)
    return what(`the entry costs ${cost} now, and ${computed} is computed`);
  if (!last.hasTerms && lines !== computed)
    return what(`the entry’s lines make ${lines} now, and ${computed} is computed`);
  return [];
}

function added(sum: bigint | null, amount: bigint | null): bigint | null {
  if (sum === null || amount === null) return sum ?? amount;
  return sum + amount;
}
