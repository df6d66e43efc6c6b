import { z } from 'zod';
import { nearestName } from '#std';
import { ApportionError, LIMITS } from '#terms';
import { checkKey } from '../parse-tag.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import {
  DETECT_ACTIONS,
  DETECTED_KINDS,
  POLICY_LIMITS,
  POLICY_MODES,
  type KeyRule,
  type TagPolicy,
  type TextRule,
} from './tag-policy.ts';

const value = z.string().trim().min(1, 'a text that is not empty').max(LIMITS.tagValueChars, 'at most 256 characters');

const key = z.string();

const textRule = {
  values: z.array(value).min(1, 'a list with at least one value').max(POLICY_LIMITS.listedValues).optional(),
  pattern: z.string().optional(),
  aliases: z.record(value, value).optional(),
  fold: z.enum(['lower', 'upper']).optional(),
};

const keyRule = {
  ...textRule,
  max_values_per_day: z.int().min(1).max(POLICY_LIMITS.valuesPerDay).optional(),
};

const action = z.enum(DETECT_ACTIONS).optional();

const policySchema = z.strictObject({
  mode: z.enum(POLICY_MODES).optional(),
  required: z.array(key).max(LIMITS.tagsPerCall).optional(),
  keys: z.record(key, z.strictObject(keyRule)).optional(),
  labels: z.strictObject(textRule).optional(),
  allow_unknown_keys: z.boolean().optional(),
  max_tags: z.int().min(1).max(LIMITS.tagsPerCall).optional(),
  detect: z.strictObject({ email: action, phone: action, card: action, secret: action }).optional(),
  hints: z.boolean().optional(),
});

/** docs/configuration.md is checked against these. */
export const POLICY_KEYS: readonly string[] = Object.keys(policySchema.shape);

export const KEY_RULE_KEYS: readonly string[] = Object.keys(keyRule);

const LABEL_RULE_KEYS: readonly string[] = Object.keys(textRule);

/**
 * Reads a policy as it stands in the configuration file (`tags.policy`) and in a team's or key's metadata (`tag_policy`).
 * Throws `invalid_field` naming the place (`at` and below), the fault and the fix.
 */
export function parseTagPolicy(input: unknown, at: string): TagPolicy {
  const parsed = policySchema.safeParse(input);
  if (!parsed.success) throw refusal(parsed.error.issues[0], at);
  const given = parsed.data;
  for (const [index, name] of (given.required ?? []).entries()) checkKey(name, `${at}.required[${index}]`);
  const named = Object.entries(given.keys ?? {});
  if (named.length > POLICY_LIMITS.keys) throw unfit(`${at}.keys`, `hold at most ${POLICY_LIMITS.keys} keys`);
  const keys = new Map<string, KeyRule>();
  for (const [name, rule] of named) {
    const place = `${at}.keys.${name}`;
    checkKey(name, place);
    keys.set(name, { ...parseTextRule(rule, place), maxValuesPerDay: rule.max_values_per_day ?? null });
  }
  return {
    mode: given.mode ?? 'warn',
    required: [...new Set(given.required)],
    keys,
    labels: given.labels === undefined ? null : parseTextRule(given.labels, `${at}.labels`),
    allowUnknownKeys: given.allow_unknown_keys ?? true,
    maxTags: given.max_tags ?? null,
    detect: Object.fromEntries(
      DETECTED_KINDS.flatMap((kind) => {
        const stated = given.detect?.[kind];
        return stated === undefined ? [] : [[kind, stated] as const];
      }),
    ),
    hints: given.hints ?? null,
  };
}

type GivenRule = {
  readonly values?: readonly string[] | undefined;
  readonly pattern?: string | undefined;
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  readonly fold?: 'lower' | 'upper' | undefined;
};

function parseTextRule(given: GivenRule, at: string): TextRule {
  return {
    values: given.values ?? null,
    pattern: given.pattern === undefined ? null : parsePattern(given.pattern, `${at}.pattern`),
    aliases: new Map(Object.entries(given.aliases ?? {})),
    fold: given.fold ?? null,
  };
}

function parsePattern(source: string, at: string): Pattern {
  const pattern = compilePattern(source, {
    maxChars: POLICY_LIMITS.patternChars,
    maxSteps: POLICY_LIMITS.patternSteps,
  });
  if ('problem' in pattern) throw unfit(at, pattern.problem);
  return pattern;
}

function refusal(issue: z.core.$ZodIssue | undefined, at: string): ApportionError {
  const place = [
    at,
    ...(issue?.path ?? []).map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)),
  ];
  const where = place.join('');
  if (issue?.code !== 'unrecognized_keys') return unfit(where, `be ${expected(issue)}`);
  const [stray = ''] = issue.keys;
  const known = knownAt(issue.path);
  const nearest = nearestName(stray, known);
  return new ApportionError('invalid_field', `${where}.${stray}: unknown key.`, {
    param: `${where}.${stray}`,
    hint: nearest === undefined ? `Known here are: ${known.join(', ')}.` : `Did you mean "${nearest}"?`,
  });
}

function knownAt(path: readonly PropertyKey[]): readonly string[] {
  const [section] = path;
  if (section === 'keys') return KEY_RULE_KEYS;
  if (section === 'labels') return LABEL_RULE_KEYS;
  return section === 'detect' ? DETECTED_KINDS : POLICY_KEYS;
}

function expected(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`;
    case 'invalid_type':
      return issue.expected === 'record' || issue.expected === 'object' ? 'an object' : `a ${article(issue.expected)}`;
    case 'too_big':
    case 'too_small':
      return issue.origin === 'int' || issue.origin === 'number' ? bound(issue) : issue.message;
    default:
      return issue?.message ?? 'a policy';
  }
}

function bound(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  return issue.code === 'too_big' ? `at most ${String(issue.maximum)}` : `at least ${String(issue.minimum)}`;
}

function article(type: string): string {
  return type === 'array' ? 'list' : type === 'int' || type === 'number' ? 'whole number' : type;
}

function unfit(at: string, must: string): ApportionError {
  return new ApportionError('invalid_field', `${at}: this value does not fit.`, {
    param: at,
    hint: `It must ${must}.`,
  });
}
