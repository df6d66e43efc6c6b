import type { EntryFields } from './entry-fields.ts';
import { amountProblems } from './entry-amounts.ts';
import { chargeProblems } from './entry-charges.ts';
import { identityProblems } from './entry-identity.ts';
import { tagProblems } from './entry-tags.ts';
import { timeProblems } from './entry-time.ts';
import { tokenProblems } from './entry-tokens.ts';
import type { Findings, Place } from './finding.ts';
import type { RuleId } from './rules.ts';

/** What is wrong with one entry by itself, in words; nothing where nothing is. */
export type EntryRule = (entry: EntryFields, frame: { readonly attempt: string }) => readonly string[];

const RULES_OF_ONE: readonly (readonly [RuleId, EntryRule])[] = [
  ['entry.identity', identityProblems],
  ['entry.amounts', amountProblems],
  ['entry.charges', chargeProblems],
  ['entry.tokens', tokenProblems],
  ['entry.time', timeProblems],
  ['entry.tags', tagProblems],
];

/** Holds an entry to every rule that is about it alone. */
export function checkEntry(
  entry: EntryFields,
  frame: { readonly attempt: string; readonly place: Place },
  findings: Findings,
): void {
  for (const [rule, problemsOf] of RULES_OF_ONE) {
    for (const what of problemsOf(entry, frame)) findings.fault(rule, what, { ...frame.place, entryId: entry.entryId });
  }
}
