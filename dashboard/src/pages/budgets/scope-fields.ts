import type { Scope } from '../../api/budgets.ts';

export const SUBJECTS = [
  ['all', 'All calls'],
  ['key.id', 'Key'],
  ['key.team', 'Team of the key'],
  ['key.owner', 'Owner of the key'],
  ['tags', 'Tag or entity'],
  ['label', 'Label or path'],
  ['model', 'Model'],
  ['provider', 'Provider'],
  ['route', 'Route'],
] as const;

export type Subject = (typeof SUBJECTS)[number][0];

export const WHICH = [
  ['is', 'is'],
  ['each', 'each by itself'],
  ['unlisted', 'each other by itself'],
  ['none', 'is missing'],
] as const;

export type Which = (typeof WHICH)[number][0];

/** One line of the form. */
export type ScopeLine = {
  readonly subject: Subject;
  /** Of a tag. */
  readonly key: string;
  readonly which: Which;
  readonly value: string;
};

export const ALL_CALLS: ScopeLine = { subject: 'all', key: '', which: 'is', value: '' };

export function toScope(lines: readonly ScopeLine[]): Scope {
  const named = lines.filter(({ subject }) => subject !== 'all');
  return Object.fromEntries(
    named.map(({ subject, key, which, value }) => {
      const name = subject === 'tags' ? `tags.${key.trim()}` : subject;
      return [name, which === 'is' || subject === 'label' ? value.trim() : { [which]: true as const }];
    }),
  );
}

/** Null where the form cannot say it: a list of labels. */
export function toLines(scope: Scope): readonly ScopeLine[] | null {
  const lines: ScopeLine[] = [];
  for (const [name, values] of Object.entries(scope)) {
    if (Array.isArray(values)) return null;
    const subject = name.startsWith('tags.') ? 'tags' : SUBJECTS.find(([one]) => one === name)?.[0];
    if (subject === undefined) return null;
    const key = subject === 'tags' ? name.slice('tags.'.length) : '';
    if (typeof values === 'string') lines.push({ subject, key, which: 'is', value: values });
    else lines.push({ subject, key, which: WHICH.find(([one]) => one in values)?.[0] ?? 'is', value: '' });
  }
  return lines.length === 0 ? [ALL_CALLS] : lines;
}
