import { type TimestampMs } from '#std';
import { isUnder } from '#terms';
import {
  CALL_FIELDS,
  isCounted,
  plainScope,
  type CallField,
  type Condition,
  type Counts,
  type PlainCondition,
  type Scope,
  type ScopedCall,
} from './scope.ts';

/** A rule of an operator: what it is for, and when it is in force. */
export type Rule = {
  readonly id: string;
  readonly scope: Scope;
  readonly counts: Counts;
  readonly effectiveFrom: TimestampMs | null;
  /** Exclusive. */
  readonly effectiveTo: TimestampMs | null;
};

/** Rules that count the same calls together: one series, whatever else they say. */
export type Series<R extends Rule> = {
  readonly key: string;
  readonly conditions: readonly PlainCondition[];
  readonly counts: Counts;
  readonly rules: readonly R[];
};

/** A series a call falls in; `instance` has the call's value for each `each`. */
export type Match<R extends Rule> = {
  readonly series: Series<R>;
  readonly instance: readonly string[];
};

const NO_VALUES: readonly string[] = [];

type Axis<R extends Rule> = {
  readonly exact: Map<string, Series<R>[]>;
  /** Series with `each` here, or with `none` of a field that every call has. */
  readonly open: Series<R>[];
};

export function inForce(rule: Rule, at: TimestampMs): boolean {
  return (
    (rule.effectiveFrom === null || at >= rule.effectiveFrom) && (rule.effectiveTo === null || at < rule.effectiveTo)
  );
}

/** Finds what a call falls in by its own values: the work grows with the call's tags, not with the rules. */
export class ScopeIndex<R extends Rule> {
  readonly series: ReadonlyMap<string, Series<R>>;
  readonly #fields: Readonly<Record<CallField, Axis<R>>>;
  readonly #dimensions = new Map<string, Axis<R>>();
  readonly #labels = new Map<string, Series<R>[]>();
  readonly #everything: Series<R>[] = [];
  /** Series for calls that lack a dimension. */
  readonly #absent: Series<R>[] = [];
  /** Rules that name one value of one thing and nothing else, by thing and value: an `unlisted` gives way to them. */
  readonly #listed = new Map<string, Map<string, R[]>>();
  readonly #unlisted = new Map<R, readonly ValueCondition[]>();

  /** @param keyOf rules of the same scope, `counts` and key are one series */
  constructor(rules: readonly R[], keyOf: (rule: R) => string) {
    const series = new Map<string, Series<R> & { readonly rules: R[] }>();
    for (const rule of rules) {
      const key = keyOf(rule);
      const conditions = plainScope(rule.scope);
      const known = series.get(key);
      if (known === undefined) series.set(key, { key, conditions, counts: rule.counts, rules: [rule] });
      else known.rules.push(rule);
      this.#list(rule, conditions);
    }
    this.series = series;
    this.#fields = {
      key: newAxis(),
      team: newAxis(),
      owner: newAxis(),
      model: newAxis(),
      provider: newAxis(),
      route: newAxis(),
    };
    for (const one of series.values()) this.#file(one);
  }

  #list(rule: R, conditions: readonly PlainCondition[]): void {
    const unlisted = plainScope(rule.scope.filter(isUnlisted)).filter((one) => one.on !== 'label');
    if (unlisted.length > 0) this.#unlisted.set(rule, unlisted);
    const [condition] = conditions;
    if (conditions.length !== 1 || condition === undefined || condition.on === 'label') return;
    if (condition.values.kind !== 'is') return;
    const values = this.#listed.get(axisKey(condition)) ?? new Map<string, R[]>();
    this.#listed.set(axisKey(condition), values);
    pushTo(values, condition.values.value, rule);
  }

  /** Each series stands in one place: under the condition that fewest calls fulfil. */
  #file(series: Series<R>): void {
    const [anchor] = series.conditions.toSorted((left, right) => breadth(left) - breadth(right));
    if (anchor === undefined) {
      this.#everything.push(series);
    } else if (anchor.on === 'label') {
      pushTo(this.#labels, anchor.label, series);
    } else {
      const axis = anchor.on === 'dimension' ? this.#dimensionAxis(anchor.key) : this.#fields[anchor.on];
      if (anchor.on === 'dimension' && anchor.values.kind === 'none') this.#absent.push(series);
      else if (anchor.values.kind === 'is') pushTo(axis.exact, anchor.values.value, series);
      else axis.open.push(series);
    }
  }

  #dimensionAxis(key: string): Axis<R> {
    const known = this.#dimensions.get(key);
    if (known !== undefined) return known;
    const axis = newAxis<R>();
    this.#dimensions.set(key, axis);
    return axis;
  }

  /** Every series the call falls in, in no order. */
  matching(call: ScopedCall): readonly Match<R>[] {
    const found: Match<R>[] = [];
    takeAll(found, this.#everything, call);
    for (const field of CALL_FIELDS) {
      const axis = this.#fields[field];
      takeAll(found, axis.exact.get(call[field]), call);
      takeAll(found, axis.open, call);
    }
    for (const [key, { value }] of call.tags.dimensions) {
      const axis = this.#dimensions.get(key);
      if (axis === undefined) continue;
      takeBelow(found, { under: axis.exact, value }, call);
      takeAll(found, axis.open, call);
    }
    takeAll(found, this.#absent, call);
    if (this.#labels.size > 0) this.#takeLabels(found, call);
    return found;
  }

  /** Labels overlap and paths share prefixes: a series is taken once, however many of them lead to it. */
  #takeLabels(found: Match<R>[], call: ScopedCall): void {
    const taken: Match<R>[] = [];
    for (const label of call.tags.labels) takeBelow(taken, { under: this.#labels, value: label }, call);
    for (const path of call.tags.paths) takeBelow(taken, { under: this.#labels, value: path }, call);
    const seen = new Set<Series<R>>();
    for (const match of taken) {
      if (seen.has(match.series)) continue;
      seen.add(match.series);
      found.push(match);
    }
  }

  /** The rules of a series that are in force for the call: an `unlisted` one gives way to a rule for the very value. */
  rulesFor(series: Series<R>, call: ScopedCall, at: TimestampMs): readonly R[] {
    const [only] = series.rules;
    if (series.rules.length === 1 && only !== undefined && this.#holds(only, call, at)) return series.rules;
    return series.rules.filter((rule) => this.#holds(rule, call, at));
  }

  #holds(rule: R, call: ScopedCall, at: TimestampMs): boolean {
    if (!inForce(rule, at)) return false;
    return this.#unlisted.get(rule)?.some((condition) => this.#isListed(condition, call, at)) !== true;
  }

  #isListed(condition: ValueCondition, call: ScopedCall, at: TimestampMs): boolean {
    const values = this.#listed.get(axisKey(condition));
    const value = valueOf(call, condition, 'declared');
    if (values === undefined || value === undefined) return false;
    // A rule that does not count this call's tag does not stand in for the default either.
    const stands = (rule: R): boolean => inForce(rule, at) && valueOf(call, condition, rule.counts) !== undefined;
    if (values.get(value)?.some(stands) === true) return true;
    return condition.on === 'dimension' && nodesAbove(value).some((node) => values.get(node)?.some(stands) === true);
  }
}

type ValueCondition = Exclude<PlainCondition, { readonly on: 'label' }>;

function isUnlisted(condition: Condition): boolean {
  return condition.on !== 'label' && condition.values.kind === 'unlisted';
}

function newAxis<R extends Rule>(): Axis<R> {
  return { exact: new Map(), open: [] };
}

function pushTo<T>(map: Map<string, T[]>, key: string, item: T): void {
  const items = map.get(key);
  if (items === undefined) map.set(key, [item]);
  else items.push(item);
}

function axisKey(condition: ValueCondition): string {
  return condition.on === 'dimension' ? `dimension:${condition.key}` : condition.on;
}

/** How many calls a condition lets through, roughly. */
function breadth(condition: PlainCondition): number {
  if (condition.on === 'label') return 2;
  const { kind } = condition.values;
  if (kind === 'none') return 6;
  if (kind !== 'is') return 5;
  if (condition.on === 'key') return 0;
  return condition.on === 'dimension' || condition.on === 'owner' ? 1 : 3;
}

function takeAll<R extends Rule>(found: Match<R>[], series: readonly Series<R>[] | undefined, call: ScopedCall): void {
  if (series === undefined) return;
  for (const one of series) {
    const instance = instanceOf(one, call);
    if (instance !== undefined) found.push({ series: one, instance });
  }
}

/** `eng/search/ranking` is under `eng` and `eng/search` as well. */
function takeBelow<R extends Rule>(
  found: Match<R>[],
  place: { readonly under: ReadonlyMap<string, readonly Series<R>[]>; readonly value: string },
  call: ScopedCall,
): void {
  const { under, value } = place;
  if (under.size === 0) return;
  takeAll(found, under.get(value), call);
  for (const node of nodesAbove(value)) takeAll(found, under.get(node), call);
}

function nodesAbove(value: string): readonly string[] {
  let end = value.lastIndexOf('/');
  if (end < 1) return NO_VALUES;
  const nodes: string[] = [];
  for (; end > 0; end = value.lastIndexOf('/', end - 1)) nodes.push(value.slice(0, end));
  return nodes;
}

/** The call's values for each wildcard; undefined when a condition does not hold. */
function instanceOf<R extends Rule>(series: Series<R>, call: ScopedCall): readonly string[] | undefined {
  let instance: string[] | undefined;
  for (const condition of series.conditions) {
    if (condition.on === 'label') {
      if (!isLabelled(call, condition.label, series.counts)) return undefined;
      continue;
    }
    const value = valueOf(call, condition, series.counts);
    const { values } = condition;
    if (values.kind === 'none') {
      if (value !== undefined) return undefined;
    } else if (value === undefined) {
      return undefined;
    } else if (values.kind !== 'is') {
      instance ??= [];
      instance.push(value);
    } else if (!fits(value, values.value, condition)) {
      return undefined;
    }
  }
  return instance ?? NO_VALUES;
}

function fits(value: string, wanted: string, condition: PlainCondition): boolean {
  return value === wanted || (condition.on === 'dimension' && isUnder(value, wanted));
}

function valueOf(call: ScopedCall, condition: ValueCondition, counts: Counts): string | undefined {
  if (condition.on === 'dimension') {
    const dimension = call.tags.dimensions.get(condition.key);
    return dimension !== undefined && isCounted(dimension.provenance, counts) ? dimension.value : undefined;
  }
  const value = call[condition.on];
  return value === '' ? undefined : value;
}

/** Nothing says where a label came from, so that only a rule that counts what is declared can look at labels. */
function isLabelled(call: ScopedCall, label: string, counts: Counts): boolean {
  if (counts !== 'declared') return false;
  return call.tags.labels.some((one) => isUnder(one, label)) || call.tags.paths.some((one) => isUnder(one, label));
}

/** Distinct text for each list of values, whatever the values contain. */
export function instanceKey(instance: readonly string[]): string {
  const [only = ''] = instance;
  return instance.length <= 1 ? only : instance.map((value) => `${value.length}:${value}`).join('');
}
