import { distance } from 'fastest-levenshtein';

/** How two texts differ that probably mean the same. */
export type Difference = 'case' | 'style' | 'spelling';

export type Used = { readonly text: string; readonly calls: number };

export type Cluster<T extends Used> = {
  /** The most used spelling first. */
  readonly members: readonly T[];
  /** The largest difference in it. */
  readonly difference: Difference;
};

/** A slip of one letter is looked for from so many letters on, of two from so many. */
const ONE_LETTER_FROM = 5;
const TWO_LETTERS_FROM = 9;

/** A misspelt text is the rarer one by far; two texts that are used alike are two things. */
const RARER_TIMES = 5;

/**
 * Texts that differ only in case (`Prod`, `prod`), style (`user_id`, `userId`, `user-id`) or a slip of the pen (`production`,
 * `prodction`), around the most used of each. Numbers are never a slip: `v1` and `v2`, `eu-1` and `eu-2` are two things.
 */
export function findSimilar<T extends Used>(texts: readonly T[]): readonly Cluster<T>[] {
  const clusters: { members: T[]; difference: Difference; form: Form }[] = [];
  for (const used of texts.toSorted((left, right) => right.calls - left.calls || (left.text < right.text ? -1 : 1))) {
    const form = formOf(used.text);
    const found = nearestCluster(clusters, used, form);
    if (found === undefined) {
      clusters.push({ members: [used], difference: 'case', form });
    } else {
      found.cluster.members.push(used);
      found.cluster.difference = larger(found.cluster.difference, found.difference);
    }
  }
  return clusters.filter(({ members }) => members.length > 1);
}

type Form = {
  readonly text: string;
  readonly lower: string;
  /** Words and numbers, in lower case. */
  readonly words: readonly string[];
  readonly joined: string;
};

const WORD = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{N}+/gu;

function formOf(text: string): Form {
  const words = (text.normalize('NFKC').match(WORD) ?? []).map((word) => word.toLowerCase());
  return { text, lower: text.toLowerCase(), words, joined: words.join('') };
}

function nearestCluster<T extends Used, C extends { readonly members: readonly T[]; readonly form: Form }>(
  clusters: readonly C[],
  used: T,
  form: Form,
): { readonly cluster: C; readonly difference: Difference } | undefined {
  let slip: C | undefined;
  for (const cluster of clusters) {
    const difference = sameWords(cluster.form, form);
    if (difference !== undefined) return { cluster, difference };
    const [head] = cluster.members;
    if (
      slip === undefined &&
      head !== undefined &&
      head.calls >= used.calls * RARER_TIMES &&
      isSlip(cluster.form, form)
    ) {
      slip = cluster;
    }
  }
  return slip === undefined ? undefined : { cluster: slip, difference: 'spelling' };
}

function sameWords(left: Form, right: Form): Difference | undefined {
  if (left.lower === right.lower) return 'case';
  // Signs alone (`*`, `+`) have no words, and are not each other. Numbers stay apart: `1.10` is not `11.0`.
  if (left.joined === '' || left.joined !== right.joined) return undefined;
  return numbersOf(left) === numbersOf(right) ? 'style' : undefined;
}

function numbersOf({ words }: Form): string {
  return words.filter((word) => /\p{N}/u.test(word)).join(' ');
}

/** True when one word of equally many differs, by a letter or two. */
function isSlip(left: Form, right: Form): boolean {
  if (left.words.length !== right.words.length) return false;
  const pairs = left.words.flatMap((word, at) => (word === right.words[at] ? [] : [[word, right.words[at] ?? '']]));
  const [pair] = pairs;
  if (pair === undefined || pairs.length > 1) return false;
  const [one = '', other = ''] = pair;
  const shortest = Math.min(one.length, other.length);
  if (shortest < ONE_LETTER_FROM || /\p{N}/u.test(one + other) || one[0] !== other[0]) return false;
  const most = shortest >= TWO_LETTERS_FROM ? 2 : 1;
  return Math.abs(one.length - other.length) <= most && distance(one, other) <= most;
}

const SIZES: readonly Difference[] = ['case', 'style', 'spelling'];

function larger(left: Difference, right: Difference): Difference {
  return SIZES.indexOf(left) >= SIZES.indexOf(right) ? left : right;
}
