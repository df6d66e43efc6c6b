import { z } from 'zod';
import { parseLackingTag, parseWatch, type Watch } from '#analytics';
import type { Window } from '#budgets';
import { nearestName } from '#std';
import { ApportionError } from '#terms';
import { count, percent, usd, zone } from './rule-fields.ts';

export const TROUBLES = ['shipping_lag', 'quarantine', 'journal', 'store'] as const;

export type Trouble = (typeof TROUBLES)[number];

const WINDOWS = ['hour', 'day', 'week', 'month'] as const;

const name = z.string().trim().min(1).max(200);

/** Of every rule. */
const common = {
  name,
  enabled: z.boolean().default(true),
  severity: z.enum(['info', 'warning', 'critical']).default('warning'),
  /** Ids of channels. None: events are only listed. */
  channels: z.array(z.string().min(1)).max(20).default([]),
  digest: z.enum(['none', 'hourly', 'daily']).default('none'),
  tell_resolved: z.boolean().default(true),
};

const override = z.strictObject({
  value: z.string().min(1).max(500),
  off: z.boolean().default(false),
  amount_usd: usd.optional(),
  minimum_usd: usd.optional(),
  percent: percent.optional(),
  calls: count.optional(),
  deviations: z.number().min(1).max(100).optional(),
});

/** Of rules about calls: which ones, as a whole or by themselves. */
const watched = {
  scope: z.record(z.string(), z.string()).default({}),
  for_each: z.string().min(1).nullable().default(null),
  overrides: z.array(override).max(1000).default([]),
};

const timed = { window: z.enum(WINDOWS).default('day'), timezone: zone.default('UTC') };

const of = z.enum(['cost', 'billed']).default('cost');

const rule = z.discriminatedUnion('type', [
  z.strictObject({ ...common, ...watched, ...timed, type: z.literal('spend_over'), amount_usd: usd, of }),
  z.strictObject({
    ...common,
    ...watched,
    ...timed,
    type: z.literal('change'),
    direction: z.enum(['up', 'down']).default('up'),
    percent,
    minimum_usd: usd,
    of,
  }),
  z.strictObject({
    ...common,
    ...watched,
    type: z.literal('anomaly'),
    deviations: z.number().min(1).max(100).default(5),
    percent: percent.default(50),
    minimum_usd: usd,
    weeks: z.int().min(4).max(12).default(4),
    of,
  }),
  z.strictObject({
    ...common,
    ...watched,
    ...timed,
    window: z.enum(WINDOWS).default('hour'),
    type: z.literal('error_rate'),
    percent,
    calls: count.default(20),
  }),
  z.strictObject({
    ...common,
    ...watched,
    ...timed,
    type: z.literal('untagged_share'),
    /** Null: calls with no tag and no entity at all. */
    tag: z.string().min(1).nullable().default(null),
    percent,
    minimum_usd: usd,
  }),
  z.strictObject({ ...common, ...watched, ...timed, type: z.literal('unpriced_calls'), calls: count.default(1) }),
  z.strictObject({
    ...common,
    ...watched,
    ...timed,
    type: z.literal('reconciliation_drift'),
    percent: percent.default(1),
    minimum_usd: usd,
  }),
  z.strictObject({
    ...common,
    ...timed,
    type: z.literal('journal_or_store_trouble'),
    troubles: z
      .array(z.enum(TROUBLES))
      .min(1)
      .default([...TROUBLES]),
    lag_seconds: z.int().min(1).max(86_400).default(60),
  }),
  z.strictObject({
    ...common,
    type: z.literal('budget_threshold'),
    /** Ids. Null: every budget. */
    budgets: z.array(z.string().min(1)).min(1).nullable().default(null),
    percents: z.array(z.int().min(1).max(1000)).min(1).max(10).default([80, 100]),
    of: z.enum(['actual', 'forecast']).default('actual'),
  }),
]);

export type AlertRule = z.output<typeof rule>;

export type RuleType = AlertRule['type'];

export type RuleOf<T extends RuleType> = Extract<AlertRule, { readonly type: T }>;

/** Rules about calls, which the store answers. */
export type CallRule = Exclude<AlertRule, { readonly type: 'journal_or_store_trouble' | 'budget_threshold' }>;

export type Override = z.output<typeof override>;

const RULE_TYPES = rule.options.map(({ shape }) => shape.type.value);

const HINT = 'docs/alerts.md shows a rule of each type.';

/** @throws ApportionError naming the field at fault */
export function parseRule(body: unknown): AlertRule {
  refuseUnknownType(body);
  const parsed = rule.safeParse(body);
  if (!parsed.success) throw issueError(parsed.error.issues[0]);
  if (isCallRule(parsed.data)) refuseMeaningless(parsed.data);
  return parsed.data;
}

export function isCallRule(one: AlertRule): one is CallRule {
  return one.type !== 'journal_or_store_trouble' && one.type !== 'budget_threshold';
}

/** The entries a rule is about, in the words of reports. */
export function watchOf({ scope, for_each: each }: CallRule): Watch {
  return parseWatch(scope, each);
}

/** How long money or calls of the rule are added up. */
export function windowOf(one: Exclude<AlertRule, { readonly type: 'budget_threshold' }>): Window {
  if (one.type === 'anomaly') return { kind: 'hour', zone: 'UTC' };
  const { window, timezone } = one;
  switch (window) {
    case 'hour':
      return { kind: 'hour', zone: timezone };
    case 'day':
      return { kind: 'day', count: 1, zone: timezone };
    case 'week':
      return { kind: 'week', startsOn: 1, zone: timezone };
    case 'month':
      return { kind: 'month', count: 1, startsOn: 1, zone: timezone };
  }
}

function refuseUnknownType(body: unknown): void {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  if (RULE_TYPES.some((one) => one === type)) return;
  const near = typeof type === 'string' ? nearestName(type, RULE_TYPES) : undefined;
  throw new ApportionError('invalid_field', 'type: no type of rule.', {
    param: 'type',
    hint: near === undefined ? `Use one of: ${RULE_TYPES.join(', ')}.` : `Did you mean ${near}?`,
  });
}

/** What each field alone does not show. */
function refuseMeaningless(one: CallRule): void {
  watchOf(one);
  if (one.type === 'untagged_share') parseLackingTag(one.tag);
  if (one.overrides.length > 0 && one.for_each === null)
    throw fieldError('overrides', 'overrides are of a rule for each of something', 'Say for_each, e.g. tags.customer.');
  for (const [at, { value: _, off: __, ...limits }] of one.overrides.entries()) {
    const stray = Object.keys(limits).find((field) => !Object.hasOwn(one, field));
    if (stray !== undefined)
      throw fieldError(`overrides.${at}.${stray}`, `a rule of type ${one.type} has no ${stray}`, HINT);
  }
}

function issueError(issue: z.core.$ZodIssue | undefined): ApportionError {
  if (issue?.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0] ?? ''].join('.');
    return fieldError(key, 'this type of rule has no such field', HINT);
  }
  return fieldError(issue?.path.join('.') ?? '', issue?.message ?? 'not understood', HINT);
}

function fieldError(param: string, why: string, hint: string): ApportionError {
  return new ApportionError('invalid_field', `${param === '' ? 'The rule' : param}: ${why}.`, {
    ...(param === '' ? {} : { param }),
    hint,
  });
}
