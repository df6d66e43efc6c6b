import { inputTokens, outputTokens, METERS, type Meters } from '#terms';
import type { EntryFields } from './entry-fields.ts';

const KNOWN: ReadonlySet<string> = new Set(METERS);

/** What other models used inside the answer is counted too; a correction says only what changed. */
export function tokenProblems(entry: EntryFields): readonly string[] {
  const { meters, kind, otherUsage } = entry;
  const unknown = Object.keys(meters).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) return [`"${unknown}" is no meter`];
  const problems: string[] = [];
  if (kind === 'attempt')
    for (const [name, quantity] of Object.entries(meters))
      if (quantity < 0) problems.push(`${name} of an attempt is ${quantity}`);
  const others = otherUsage === '' ? [] : othersOf(otherUsage);
  if (others === null) return [...problems, 'the usage of other models cannot be read'];
  const all = [meters as Meters, ...others];
  const input = all.reduce((sum, one) => sum + inputTokens(one), 0);
  const output = all.reduce((sum, one) => sum + outputTokens(one), 0);
  if (input !== entry.inputTokens)
    problems.push(`its meters have ${input} input tokens, and it says ${entry.inputTokens}`);
  if (output !== entry.outputTokens)
    problems.push(`its meters have ${output} output tokens, and it says ${entry.outputTokens}`);
  return problems;
}

function othersOf(text: string): readonly Meters[] | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(json)) return null;
  const meters = json.map((one: unknown) => metersOf(one));
  return meters.every((one) => one !== null) ? meters : null;
}

function metersOf(other: unknown): Meters | null {
  if (typeof other !== 'object' || other === null || !('meters' in other)) return null;
  const { meters } = other;
  if (typeof meters !== 'object' || meters === null) return null;
  return Object.entries(meters).every(([name, quantity]) => KNOWN.has(name) && Number.isFinite(quantity))
    ? meters
    : null;
}
