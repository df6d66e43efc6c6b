/** Colours of the palette in styles.css, which stay apart for every common kind of colour blindness. */
export const COLOURS = 10;

/**
 * Gives each value a colour that depends on its name, not on its rank: a value keeps its colour when the period or the
 * order changes. Two names that hash alike are moved apart in alphabetical order.
 */
export function coloursFor(values: readonly string[]): ReadonlyMap<string, string> {
  const colours = new Map<string, string>();
  const taken = new Set<number>();
  for (const value of values.toSorted()) {
    let index = hash(value) % COLOURS;
    while (taken.has(index) && taken.size < COLOURS) index = (index + 1) % COLOURS;
    taken.add(index);
    colours.set(value, `var(--series-${index})`);
  }
  return colours;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  }
  return state >>> 0;
}
