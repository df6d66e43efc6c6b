import { distance } from 'fastest-levenshtein';

/**
 * The known name that was probably meant, or `undefined` when none is near.
 * @param slips how many wrong letters a short name may have; a long one may have a third of its letters
 */
export function nearestName(name: string, known: Iterable<string>, slips = 2): string | undefined {
  const lower = name.toLowerCase();
  let nearest: string | undefined;
  let most = Math.max(slips, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const off = distance(lower, candidate.toLowerCase());
    if (off >= most) continue;
    most = off;
    nearest = candidate;
  }
  return nearest;
}
