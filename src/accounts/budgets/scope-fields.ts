import { z } from 'zod';
import { plainScope, type Condition, type Scope, type Values } from '#budgets';
import { nearestName } from '#std';
import { parseTag } from '#tags';
import { ApportionError } from '#terms';
import { nameField } from '../request-fields.ts';

/** What a scope says of calls, by the names reports have: `{"key.team": "growth", "tags.customer": {"each": true}}`. */
export type ScopeFields = Readonly<Record<string, string | readonly string[] | Readonly<Record<string, true>>>>;

const FIELDS = {
  'key.id': 'key',
  'key.team': 'team',
  'key.owner': 'owner',
  model: 'model',
  provider: 'provider',
  route: 'route',
} as const;

type FieldName = keyof typeof FIELDS;

const FIELD_NAMES = ['key.id', 'key.team', 'key.owner', 'model', 'provider', 'route'] as const satisfies FieldName[];

const TAGS = 'tags.';

const NAMES = [...FIELD_NAMES, 'label', 'tags.KEY'];

/** More conditions than any scope needs, and few enough to look at. */
const MOST_CONDITIONS = 16;

const HINT =
  'Send "scope": {"key.team": "growth", "tags.customer": {"each": true}}, or {} for all calls; docs/budgets-api.md.';

const valueSchema = z.union([
  nameField,
  z.strictObject({ each: z.literal(true) }),
  z.strictObject({ unlisted: z.literal(true) }),
  z.strictObject({ none: z.literal(true) }),
]);

const labelSchema = z.union([nameField, z.array(nameField).min(1)]);

/** Throws `invalid_field` naming what is wrong, as `scope.tags.customer`. */
export function parseScope(given: unknown): Scope {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ApportionError('invalid_field', 'scope: not an object.', { param: 'scope', hint: HINT });
  }
  const scope = Object.entries(given).flatMap(([name, value]) => conditionsOf(name, value));
  if (scope.length > MOST_CONDITIONS) throw unfit('scope', `more than ${MOST_CONDITIONS} conditions`);
  return scope;
}

/** What `parseScope` reads. */
export function toScopeFields(scope: Scope): ScopeFields {
  const fields = new Map<string, string | readonly string[] | Readonly<Record<string, true>>>();
  const labels = scope.flatMap((one) => (one.on === 'label' ? [one.label] : []));
  for (const condition of scope) {
    if (condition.on !== 'label') fields.set(conditionName(condition), toWireValues(condition.values));
  }
  const [label, ...others] = labels;
  if (label !== undefined) fields.set('label', others.length === 0 ? label : labels);
  return Object.fromEntries(fields);
}

/** The names of the values that an instance of this scope has, in their order. */
export function instanceNames(scope: Scope): readonly string[] {
  return plainScope(scope)
    .flatMap((one) => (one.on !== 'label' && isWild(one.values) ? [one] : []))
    .map(conditionName);
}

function isWild({ kind }: Values): boolean {
  return kind === 'each' || kind === 'unlisted';
}

/** A scope for people, where nobody gave it a name: `each customer, model=gpt-5`. */
export function scopeWords(scope: Scope): string {
  if (scope.length === 0) return 'All calls';
  return scope.map(conditionWords).join(', ');
}

function conditionWords(condition: Condition): string {
  if (condition.on === 'label') return condition.label;
  const name = conditionName(condition).replace(/^tags\./, '');
  switch (condition.values.kind) {
    case 'is':
      return `${name}=${condition.values.value}`;
    case 'each':
      return `each ${name}`;
    case 'unlisted':
      return `each other ${name}`;
    case 'none':
      return `no ${name}`;
  }
}

/** A condition as reports name it. */
function conditionName(condition: Condition): string {
  switch (condition.on) {
    case 'label':
      return 'label';
    case 'dimension':
      return `${TAGS}${condition.key}`;
    case 'entity':
      return `${TAGS}${condition.type}`;
    default:
      return FIELD_NAMES.find((name) => FIELDS[name] === condition.on) ?? condition.on;
  }
}

function conditionsOf(name: string, value: unknown): readonly Condition[] {
  const at = `scope.${name}`;
  if (name === 'label') return parseLabels(value, at);
  const field = FIELD_NAMES.find((one) => one === name);
  if (field !== undefined) return [{ on: FIELDS[field], values: parseValues(value, at) }];
  if (!name.startsWith(TAGS)) throw unknownName(name);
  const key = name.slice(TAGS.length);
  const values = parseValues(value, at);
  const tag = parseTag(`${key}:${values.kind === 'is' ? values.value : 'value'}`, at);
  if (tag?.kind !== 'dimension' || tag.key !== key) throw unfit(at, 'no key a tag can have');
  return [{ on: 'dimension', key, values: values.kind === 'is' ? { kind: 'is', value: tag.value } : values }];
}

function parseValues(value: unknown, at: string): Values {
  const given = valueSchema.safeParse(value);
  if (!given.success) throw unfit(at, 'give a value, {"each": true}, {"unlisted": true} or {"none": true}');
  if (typeof given.data === 'string') return { kind: 'is', value: given.data };
  if ('each' in given.data) return { kind: 'each' };
  return { kind: 'unlisted' in given.data ? 'unlisted' : 'none' };
}

function parseLabels(value: unknown, at: string): readonly Condition[] {
  const given = labelSchema.safeParse(value);
  if (!given.success) throw unfit(at, 'give a label or a path, or a list of them');
  return [given.data].flat().map((text): Condition => {
    const tag = parseTag(text, at);
    if (tag?.kind === 'label') return { on: 'label', label: tag.label };
    if (tag?.kind === 'path') return { on: 'label', label: tag.segments.join('/') };
    throw unfit(at, tag === null ? 'it is empty' : `${text} is a dimension: write "tags.${tag.key}"`);
  });
}

function toWireValues(values: Values): string | Readonly<Record<string, true>> {
  return values.kind === 'is' ? values.value : { [values.kind]: true };
}

function unknownName(name: string): ApportionError {
  const nearest = nearestName(name, NAMES) ?? nearestName(`${TAGS}${name}`, NAMES);
  const meant =
    nearest === undefined || nearest === 'tags.KEY'
      ? `For the tag ${name} write "tags.${name}".`
      : `Did you mean ${nearest}?`;
  return new ApportionError('invalid_field', `scope.${name}: calls have no such field.`, {
    param: `scope.${name}`,
    hint: `${meant} Known are ${NAMES.join(', ')}.`,
  });
}

function unfit(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
