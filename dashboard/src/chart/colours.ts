/** Colours of the palette in styles.css, which stay apart for every common kind of colour blindness. */
export const COLOURS = 10;

/**
 * Gives each value of a chart a colour of its own, and lets it keep the one it had before: a value that changes its colour
 * with the period is read as another value. A new value takes the colour its name hashes to, or the next free one.
 * @param values dearest first: when two remembered colours meet, the first keeps it
 */
export function assignColours(
  values: readonly string[],
  remembered: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const assigned = new Map<string, number>();
  const taken = new Set<number>();
  const give = (value: string, index: number): void => {
    assigned.set(value, index);
    taken.add(index);
  };
  for (const value of values) {
    const index = remembered.get(value);
    if (index !== undefined && !taken.has(index)) give(value, index);
  }
  for (const value of values) {
    if (assigned.has(value)) continue;
    let index = hash(value) % COLOURS;
    while (taken.has(index) && taken.size < COLOURS) index = (index + 1) % COLOURS;
    give(value, index);
  }
  return assigned;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  }
  return state >>> 0;
}
