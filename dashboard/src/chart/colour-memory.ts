import * as z from 'zod/mini';
import { assignColours, COLOURS } from './colours.ts';

const PLACE = 'apportion-colours';
const MOST_VALUES = 500;

const storedSchema = z.record(z.string(), z.int().check(z.gte(0), z.lt(COLOURS)));

let remembered: Map<string, number> | undefined;

/** CSS colours for the values of a chart, the same ones as the last time this browser showed them. */
export function coloursFor(values: readonly string[]): ReadonlyMap<string, string> {
  remembered ??= new Map(Object.entries(storedSchema.safeParse(readStored()).data ?? {}));
  const known = remembered;
  const assigned = assignColours(values, known);
  const fresh = Array.from(assigned).filter(([value]) => !known.has(value));
  if (fresh.length > 0) {
    remembered = new Map([...known, ...fresh].slice(-MOST_VALUES));
    window.localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(remembered)));
  }
  return new Map(Array.from(assigned, ([value, index]) => [value, `var(--series-${index})`]));
}

function readStored(): unknown {
  try {
    return JSON.parse(window.localStorage.getItem(PLACE) ?? '{}');
  } catch {
    return {};
  }
}
