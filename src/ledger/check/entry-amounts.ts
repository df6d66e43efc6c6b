import type { EntryFields } from './entry-fields.ts';

/** States in which nobody knows the cost. */
export function isUnknown(state: string): boolean {
  return state === 'unpriced' || state === 'in_doubt';
}

/** Known and unknown amounts: an unknown cost is null and never zero, and only what is in doubt is at risk. */
export function amountProblems(entry: EntryFields): readonly string[] {
  if (entry.kind === 'attempt') return [...attemptProblems(entry), ...signProblems(entry)];
  return entry.kind === 'correction' ? correctionProblems(entry) : adjustmentProblems(entry);
}

function attemptProblems(entry: EntryFields): readonly string[] {
  const { state, cost, listCost, billed, computedCost, atRisk, reserved, resolves, movedCost } = entry;
  const problems: string[] = [];
  if (isUnknown(state)) {
    if (cost !== null) problems.push(`it is ${state} and has a cost`);
    if (listCost !== null || billed !== null || computedCost !== null)
      problems.push(`it is ${state} and has a list cost, billed or computed amount`);
  } else if (cost === null) problems.push(`it is ${state} and has no cost`);
  else if (state !== 'reported' && computedCost !== null && computedCost !== cost)
    problems.push(`it is ${state}, and its cost ${cost} is not the computed one, ${computedCost}`);
  if (state === 'in_doubt' ? atRisk !== reserved : atRisk !== null)
    problems.push(`it is ${state} with ${atRisk} at risk, and ${reserved} was reserved`);
  if (resolves !== '' || movedCost !== 0n) problems.push('an attempt that takes cost over from another state');
  return problems;
}

function signProblems({ cost, listCost, billed, computedCost, reserved }: EntryFields): readonly string[] {
  const negative = Object.entries({ cost, listCost, billed, computedCost, reserved }).filter(
    ([, amount]) => amount !== null && amount < 0n,
  );
  const problems = negative.map(([name, amount]) => `${name} of an attempt is ${amount}`);
  if (cost !== null && billed !== null && billed < cost)
    problems.push(`${billed} is billed, less than the cost ${cost}`);
  return problems;
}

function correctionProblems({ state, resolves, cost, atRisk, countsCall }: EntryFields): readonly string[] {
  const problems: string[] = [];
  if (!isUnknown(state) && cost === null) problems.push(`it makes the cost ${state} and has no amount`);
  if (isUnknown(state) && resolves !== '' && !isUnknown(resolves) && cost === null)
    problems.push(`it takes a cost back that was ${resolves}, and has no amount`);
  if (atRisk !== null && (atRisk > 0n || resolves !== 'in_doubt'))
    problems.push(`a correction with ${atRisk} at risk, of an entry that was ${resolves === '' ? state : resolves}`);
  if (countsCall !== 0) problems.push('a correction that counts a call');
  return problems;
}

/** Money that somebody moved is known to the last digit, and is no call. */
function adjustmentProblems({
  state,
  cost,
  atRisk,
  countsCall,
  resolves,
  movedCost,
  charges,
}: EntryFields): readonly string[] {
  const problems: string[] = [];
  if (cost === null || state !== 'exact') problems.push(`an adjustment that is ${state}, of ${cost}`);
  if (countsCall !== 0) problems.push('an adjustment that counts a call');
  if (atRisk !== null || resolves !== '' || movedCost !== 0n || charges.length > 0)
    problems.push('an adjustment that puts something at risk, resolves something or has price lines');
  return problems;
}
