import type { Reading } from './reading.ts';
import type { RuleOf, Trouble } from './rule.ts';

/** How the journal and the store are. */
export type Health = {
  /** Durable entries that reports do not show yet, and since when the oldest of them waits. */
  readonly waiting: number;
  readonly lagMs: number;
  /** Entries the store refused. */
  readonly quarantined: number;
  /** Whether the journal has failed, or nobody answers for it. */
  readonly journal: 'well' | 'silent';
  /** Why the store takes nothing; null while all is well. */
  readonly store: string | null;
};

export function judgeHealth(
  rule: RuleOf<'journal_or_store_trouble'>,
  health: Health,
  span: { readonly windowId: string; readonly window: Reading['window'] },
): readonly Reading[] {
  return rule.troubles.flatMap((trouble) => {
    const found = sentenceOf(trouble, health, rule.lag_seconds);
    if (found === null) return [];
    const { waiting, lagMs, quarantined } = health;
    const figures = { waiting, lag_seconds: Math.floor(lagMs / 1000), quarantined };
    return [
      {
        ...span,
        instance: trouble,
        threshold: thresholdOf(rule, trouble),
        lasts: false,
        said: { sentence: found, figures },
      },
    ];
  });
}

function thresholdOf(rule: RuleOf<'journal_or_store_trouble'>, trouble: Trouble): string {
  return trouble === 'shipping_lag' ? `${rule.lag_seconds} s` : 'any';
}

function sentenceOf(trouble: Trouble, health: Health, lagSeconds: number): string | null {
  const { waiting, lagMs, quarantined, journal, store } = health;
  switch (trouble) {
    case 'shipping_lag':
      if (waiting === 0 || lagMs < lagSeconds * 1000) return null;
      return `Reports are behind: ${waiting} entries wait, the oldest for ${Math.floor(lagMs / 1000)} s.`;
    case 'quarantine':
      if (quarantined === 0) return null;
      return `The store refused ${quarantined} entries: they are in the journal, not in reports.`;
    case 'journal':
      if (journal === 'well') return null;
      return 'The journal has failed, or its process does not answer: calls may be refused or unrecorded.';
    case 'store':
      return store === null ? null : `The store takes no entries: ${store}.`;
  }
}
