import { type Pattern } from './pattern.ts';
import {
  DETECT_ACTIONS,
  DETECTED_KINDS,
  POLICY_LEVELS,
  type DetectAction,
  type DetectedKind,
  type Fold,
  type PolicyLevel,
  type PolicyMode,
  type TagPolicy,
  type TextRule,
} from './tag-policy.ts';

/** A rule with who made it and how it is held. */
type Held<Rule> = Rule & { readonly level: PolicyLevel; readonly mode: Exclude<PolicyMode, 'off'> };

/** What a text may be; it must fit each level that says something. */
export type Allowed = Held<{ readonly values: ReadonlySet<string>; readonly pattern: Pattern | null }>;

export type CompiledText = {
  readonly fold: Fold | null;
  /** Folded text → what it ends as: chains are followed, and nothing maps on. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly allowed: readonly Allowed[];
};

export type CompiledKey = CompiledText & {
  /** Narrowest first, so that what a key refuses does not use up what its team has left. */
  readonly caps: readonly { readonly name: string; readonly maxValues: number }[];
};

/** The rules of all levels together, each with the mode of the level that made it. */
export type CompiledPolicy = {
  /** True when no rule can say anything. */
  readonly idle: boolean;
  readonly required: readonly Held<{ readonly key: string }>[];
  readonly keys: ReadonlyMap<string, CompiledKey>;
  readonly labels: CompiledText | null;
  /** The levels that allow no other keys, with those they allow. */
  readonly closed: readonly Held<{ readonly known: ReadonlySet<string> }>[];
  readonly maxTags: readonly Held<{ readonly limit: number }>[];
  readonly detect: Readonly<Record<DetectedKind, { readonly action: DetectAction; readonly level: PolicyLevel }>>;
  readonly hints: boolean;
};

export type PolicyLevels = { readonly [Level in PolicyLevel]?: TagPolicy | null | undefined };

type Layer = Held<{ readonly policy: TagPolicy; readonly owner: string }>;

/**
 * Puts the levels' policies together. Do it once per key, not per call.
 *
 * @param owners ids of the team and the key, so that the values they cap are counted for each of them apart
 */
export function compilePolicy(
  levels: PolicyLevels,
  owners: { readonly team?: string; readonly key?: string } = {},
): CompiledPolicy {
  const layers: Layer[] = [];
  for (const level of POLICY_LEVELS) {
    const policy = levels[level];
    if (policy === undefined || policy === null || policy.mode === 'off') continue;
    const owner = level === 'deployment' ? '' : `${level}:${owners[level] ?? ''}:`;
    layers.push({ policy, level, mode: policy.mode, owner });
  }
  const narrowestFirst = layers.toReversed();
  const defaults = levels.deployment?.mode !== 'off';
  const keys = new Map<string, CompiledKey>();
  for (const { policy } of layers) {
    for (const name of policy.keys.keys()) {
      if (!keys.has(name)) keys.set(name, compileKey(name, narrowestFirst));
    }
  }
  const required = layers.flatMap(({ policy, level, mode }) => policy.required.map((key) => ({ key, level, mode })));
  return {
    idle: layers.length === 0 && !defaults,
    required,
    keys,
    labels: compileText(narrowestFirst.map((layer) => ({ ...layer, rule: layer.policy.labels }))),
    closed: closedLayers(layers),
    maxTags: layers.flatMap(({ policy, level, mode }) =>
      policy.maxTags === null ? [] : [{ limit: policy.maxTags, level, mode }],
    ),
    detect: compileDetect(layers, defaults ? 'warn' : 'off'),
    hints: narrowestFirst.find(({ policy }) => policy.hints !== null)?.policy.hints ?? defaults,
  };
}

function compileKey(name: string, narrowestFirst: readonly Layer[]): CompiledKey {
  const text = compileText(narrowestFirst.map((layer) => ({ ...layer, rule: layer.policy.keys.get(name) ?? null })));
  const caps = narrowestFirst.flatMap(({ policy, owner }) => {
    const maxValues = policy.keys.get(name)?.maxValuesPerDay ?? null;
    return maxValues === null ? [] : [{ name: `${owner}${name}`, maxValues }];
  });
  return { ...(text ?? NOTHING_SAID), caps };
}

const NOTHING_SAID: CompiledText = { fold: null, aliases: new Map(), allowed: [] };

function compileText(narrowestFirst: readonly Held<{ readonly rule: TextRule | null }>[]): CompiledText | null {
  const stated = narrowestFirst.flatMap(({ rule, level, mode }) => (rule === null ? [] : [{ rule, level, mode }]));
  if (stated.length === 0) return null;
  const fold = stated.find(({ rule }) => rule.fold !== null)?.rule.fold ?? null;
  const allowed = stated.flatMap(({ rule, level, mode }) =>
    rule.values === null && rule.pattern === null
      ? []
      : [{ values: new Set(rule.values?.map((text) => foldText(text, fold))), pattern: rule.pattern, level, mode }],
  );
  return { fold, aliases: mergeAliases(stated, fold), allowed: allowed.toReversed() };
}

export function foldText(text: string, fold: Fold | null): string {
  if (fold === null) return text;
  return fold === 'lower' ? text.toLowerCase() : text.toUpperCase();
}

/** The narrowest level wins. An alias that would close a circle is left out, so that each text ends somewhere. */
function mergeAliases(
  narrowestFirst: readonly { readonly rule: TextRule }[],
  fold: Fold | null,
): ReadonlyMap<string, string> {
  const next = new Map<string, string>();
  const endOf = (text: string): string => {
    let end = text;
    for (let step = next.get(end); step !== undefined; step = next.get(end)) end = step;
    return end;
  };
  for (const { rule } of narrowestFirst) {
    for (const [from, to] of rule.aliases) {
      const folded = { from: foldText(from, fold), to: foldText(to, fold) };
      if (!next.has(folded.from) && endOf(folded.to) !== folded.from) next.set(folded.from, folded.to);
    }
  }
  return new Map(Array.from(next, ([from, to]) => [from, endOf(to)]));
}

/** A narrower level may use every key a wider one names; naming more is up to the widest that is closed. */
function closedLayers(layers: readonly Layer[]): CompiledPolicy['closed'] {
  const known = new Set<string>();
  return layers.flatMap(({ policy, level, mode }) => {
    for (const key of [...policy.keys.keys(), ...policy.required]) known.add(key);
    return policy.allowUnknownKeys ? [] : [{ known: new Set(known), level, mode }];
  });
}

/** The strictest level wins; a kind that no level states is told, unless the deployment turned its policy off. */
function compileDetect(layers: readonly Layer[], fallback: DetectAction): CompiledPolicy['detect'] {
  const held = (kind: DetectedKind): { action: DetectAction; level: PolicyLevel } => {
    let strictest: { action: DetectAction; level: PolicyLevel } | null = null;
    for (const { policy, level, mode } of layers) {
      const stated = policy.detect[kind];
      if (stated === undefined) continue;
      const action = stated === 'reject' && mode === 'warn' ? 'warn' : stated;
      if (strictest === null || isStricter(action, strictest.action)) strictest = { action, level };
    }
    return strictest ?? { action: fallback, level: 'deployment' };
  };
  const [email, phone, card, secret] = DETECTED_KINDS;
  return { [email]: held(email), [phone]: held(phone), [card]: held(card), [secret]: held(secret) };
}

export function isStricter(action: DetectAction, than: DetectAction): boolean {
  return DETECT_ACTIONS.indexOf(action) > DETECT_ACTIONS.indexOf(than);
}
