import type { AlertRule } from '../../api/alerts.ts';

/** Types of rules, how people call them, and what a form asks for. */
export const RULE_TYPES = [
  { type: 'spend_over', label: 'Spend over', fields: ['amount_usd', 'window', 'for_each'] },
  {
    type: 'change',
    label: 'Increase over the period before',
    fields: ['percent', 'minimum_usd', 'window', 'for_each'],
  },
  { type: 'anomaly', label: 'Unusual hour', fields: ['minimum_usd', 'for_each'] },
  { type: 'budget_threshold', label: 'Marks of budgets', fields: [] },
  { type: 'error_rate', label: 'Error rate', fields: ['percent', 'window', 'for_each'] },
  { type: 'untagged_share', label: 'Untagged share', fields: ['percent', 'minimum_usd', 'window'] },
  { type: 'unpriced_calls', label: 'Calls without a price', fields: ['window'] },
  { type: 'reconciliation_drift', label: 'Reported and computed cost differ', fields: ['minimum_usd', 'window'] },
  { type: 'journal_or_store_trouble', label: 'Trouble of journal or store', fields: [] },
] as const;

export type RuleType = (typeof RULE_TYPES)[number];

export type RuleField = RuleType['fields'][number];

export function typeLabel(type: string): string {
  return RULE_TYPES.find((one) => one.type === type)?.label ?? type;
}

/** What a rule is about, in one line. */
export function ruleWords(rule: AlertRule): string {
  const parts = [
    said(rule.amount_usd, (amount) => `$${amount}`),
    said(rule.percent, (percent) => `${percent}%`),
    said(rule.percents, (percents) => percents.map((percent) => `${percent}%`).join(', ')),
    said(rule.minimum_usd, (amount) => `at least $${amount}`),
    isOfWindow(rule) ? said(rule.window, (window) => `in ${window === 'hour' ? 'an' : 'a'} ${window}`) : [],
    said(rule.for_each, (each) => `for each ${each.replace(/^(?:tags|key)\./, '')}`),
  ];
  return parts.flat().join(', ');
}

/** Trouble and marks of budgets have windows that nobody chose. */
function isOfWindow({ type }: AlertRule): boolean {
  const known = RULE_TYPES.find((one) => one.type === type);
  return known === undefined || known.fields.some((field) => field === 'window');
}

/** Nothing for a field that the type does not have. */
function said<T>(value: T | null | undefined, words: (value: T) => string): readonly string[] {
  return value === null || value === undefined ? [] : [words(value)];
}
