import { type Provenance, type TagSet } from '#terms';

/** What a call says of itself, as far as scopes look: who pays by its key, what is called, and its tags. */
export type ScopedCall = {
  readonly key: string;
  readonly team: string;
  /** Empty, like `route`, where the call has none. */
  readonly owner: string;
  readonly model: string;
  readonly provider: string;
  readonly route: string;
  readonly tags: Pick<TagSet, 'dimensions' | 'labels' | 'paths'>;
};

/**
 * Which values a condition takes: one; every one, each by itself; every one that no budget names alone, each by itself; or
 * calls that have no value.
 */
export type Values =
  | { readonly kind: 'is'; readonly value: string }
  | { readonly kind: 'each' }
  | { readonly kind: 'unlisted' }
  | { readonly kind: 'none' };

export const CALL_FIELDS = ['key', 'team', 'owner', 'model', 'provider', 'route'] as const;

export type CallField = (typeof CALL_FIELDS)[number];

/**
 * `team` is the key's; the tag is the dimension `team`. An entity is the dimension of its type. Values and labels take what
 * is below them too, by whole segments: the label `US` takes the path `US/California`.
 */
export type Condition =
  | { readonly on: CallField; readonly values: Values }
  | { readonly on: 'dimension'; readonly key: string; readonly values: Values }
  | { readonly on: 'entity'; readonly type: string; readonly values: Values }
  | { readonly on: 'label'; readonly label: string };

/** All conditions hold. None: every call. */
export type Scope = readonly Condition[];

/**
 * Which tags count: all (`declared`), those the caller did not say himself (`proven`: locks and defaults), or `locked` ones
 * only. A tag that does not count is as good as absent. What comes from the key always counts.
 */
export type Counts = 'declared' | 'proven' | 'locked';

export function isCounted(provenance: Provenance, counts: Counts): boolean {
  if (counts === 'declared') return true;
  return provenance === 'locked' || (counts === 'proven' && provenance === 'default');
}

export type PlainCondition = Exclude<Condition, { readonly on: 'entity' }>;

/** Entities as the dimensions they are; in one order, so that the same conditions are the same scope. */
export function plainScope(scope: Scope): readonly PlainCondition[] {
  const plain = scope.map((one): PlainCondition =>
    one.on === 'entity' ? { on: 'dimension', key: one.type, values: one.values } : one,
  );
  return plain.toSorted((left, right) => (conditionKey(left) < conditionKey(right) ? -1 : 1));
}

function conditionKey(condition: PlainCondition): string {
  switch (condition.on) {
    case 'label':
      return JSON.stringify(['label', condition.label]);
    case 'dimension':
      return JSON.stringify(['dimension', condition.key, ...valuesKey(condition.values)]);
    case 'key':
    case 'team':
    case 'owner':
    case 'model':
    case 'provider':
    case 'route':
      return JSON.stringify([condition.on, ...valuesKey(condition.values)]);
  }
}

/** `unlisted` counts like `each`: what a value has spent is then known when its own budget is taken away. */
function valuesKey(values: Values): readonly string[] {
  if (values.kind === 'is') return ['is', values.value];
  return [values.kind === 'unlisted' ? 'each' : values.kind];
}

export function scopeKey(scope: readonly PlainCondition[]): string {
  return scope.map(conditionKey).join('&');
}

/** Whether calls fall in a scope by where they go, too. */
export function isOfDeployment(scope: readonly PlainCondition[]): boolean {
  return scope.some(({ on }) => on === 'provider' || on === 'model');
}

/** As reports name them: a tag may be called `team` as well. */
const FIELD_WORDS: Readonly<Record<CallField, string>> = {
  key: 'key',
  team: 'key_team',
  owner: 'key_owner',
  model: 'model',
  provider: 'provider',
  route: 'route',
};

/** A scope for people, its `each` filled in with the values of a call: `customer=acme, model=gpt-5`. */
export function scopeText(scope: readonly PlainCondition[], instance: readonly string[]): string {
  if (scope.length === 0) return 'all calls';
  const left = [...instance];
  return scope
    .map((condition) => {
      if (condition.on === 'label') return condition.label;
      const name = condition.on === 'dimension' ? condition.key : FIELD_WORDS[condition.on];
      const { values } = condition;
      if (values.kind === 'none') return `no ${name}`;
      return `${name}=${values.kind === 'is' ? values.value : (left.shift() ?? '*')}`;
    })
    .join(', ');
}
