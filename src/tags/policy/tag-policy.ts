import { type Pattern } from './pattern.ts';

/** `off`: the level's rules do not exist. `warn`: a broken rule is told in the answer. `enforce`: it is a 400. */
export const POLICY_MODES = ['off', 'warn', 'enforce'] as const;

export type PolicyMode = (typeof POLICY_MODES)[number];

/** Who made a rule. A narrower level adds rules to a wider one and never takes any away. */
export const POLICY_LEVELS = ['deployment', 'team', 'key'] as const;

export type PolicyLevel = (typeof POLICY_LEVELS)[number];

/** What can be found in a tag that should not be there. */
export const DETECTED_KINDS = ['email', 'phone', 'card', 'secret'] as const;

export type DetectedKind = (typeof DETECTED_KINDS)[number];

/** What to do about it, mildest first. */
export const DETECT_ACTIONS = ['off', 'warn', 'hash', 'mask', 'reject'] as const;

export type DetectAction = (typeof DETECT_ACTIONS)[number];

export type Fold = 'lower' | 'upper';

/** What a value or a label may be. With `values` and `pattern` both, one of them is enough. */
export type TextRule = {
  readonly values: readonly string[] | null;
  readonly pattern: Pattern | null;
  /** As sent → as kept. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly fold: Fold | null;
};

export type KeyRule = TextRule & { readonly maxValuesPerDay: number | null };

/** The policy of one level, checked. */
export type TagPolicy = {
  readonly mode: PolicyMode;
  readonly required: readonly string[];
  readonly keys: ReadonlyMap<string, KeyRule>;
  /** For flat labels. */
  readonly labels: TextRule | null;
  readonly allowUnknownKeys: boolean;
  readonly maxTags: number | null;
  /** Only the kinds this level states. */
  readonly detect: Readonly<Partial<Record<DetectedKind, DetectAction>>>;
  /** Null when this level does not say. */
  readonly hints: boolean | null;
};

export const POLICY_LIMITS = {
  patternChars: 200,
  patternSteps: 2000,
  keys: 256,
  listedValues: 1000,
  valuesPerDay: 100_000,
  /** Distinct values all capped keys of a gate remember together. */
  rememberedValues: 1_000_000,
  /** Names listed in one warning, so that warnings stay short enough for a header. */
  namesPerWarning: 5,
  hintedTags: 12,
} as const;
