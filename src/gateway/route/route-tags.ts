import type { TagRouting } from '#config';
import { classifyTag, MULTIPLE } from '#tags';
import { isUnder, type TagSet } from '#terms';

/** A tag as far as routing looks: a key with a value, or a word, which is a label or a path. */
export type RouteTag = { readonly key: string | null; readonly text: string };

/** What a call asks of deployments by its tags, whatever dialect they came in. */
export type AskedTags = {
  /** One of them, or all, as the settings say. */
  readonly plain: readonly RouteTag[];
  /** `&tag`: nothing else will do. */
  readonly required: readonly RouteTag[];
  /** `!tag`: anything else. */
  readonly excluded: readonly RouteTag[];
};

/** Why a deployment is not for a call. */
export type TagMisfit =
  | { readonly kind: 'excluded' | 'lacking'; readonly tag: RouteTag }
  | { readonly kind: 'unmatched' }
  /** Nobody asked for its tags, and others are the default. */
  | { readonly kind: 'not_default' };

/** A call without tags. */
const NOTHING_ASKED: AskedTags = { plain: [], required: [], excluded: [] };

const DEFAULT: RouteTag = { key: null, text: 'default' };

export function toRouteTag(tag: string): RouteTag | null {
  const parsed = classifyTag(tag);
  if (parsed === null) return null;
  if (parsed.kind === 'dimension') return { key: parsed.key, text: parsed.value };
  return { key: null, text: parsed.kind === 'path' ? parsed.segments.join('/') : parsed.label };
}

export function routeTagText({ key, text }: RouteTag): string {
  return key === null ? text : `${key}:${text}`;
}

/** What the resolved tags of a call ask for. With a prefix, only tags that begin with it ask for anything. */
export function askedTags(tags: TagSet, { enabled, prefix }: TagRouting): AskedTags {
  if (!enabled) return NOTHING_ASKED;
  const asked = { plain: [] as RouteTag[], required: [] as RouteTag[], excluded: [] as RouteTag[] };
  for (const { key, text } of tagsOf(tags)) {
    if (prefix === '' && key !== null) {
      asked.plain.push({ key, text });
      continue;
    }
    const whole = key === null ? text : `${key}:${text}`;
    if (!whole.startsWith(prefix)) continue;
    const rest = whole.slice(prefix.length);
    const operator = rest.charAt(0);
    const list = operator === '&' ? asked.required : operator === '!' ? asked.excluded : asked.plain;
    const tag = toRouteTag(list === asked.plain ? rest : rest.slice(1));
    if (tag !== null) list.push(tag);
  }
  return asked;
}

function* tagsOf({ dimensions, labels, paths, conflicts }: TagSet): Generator<RouteTag> {
  for (const text of labels) yield { key: null, text };
  for (const text of paths) yield { key: null, text };
  for (const [key, { value }] of dimensions) {
    if (value !== MULTIPLE) {
      yield { key, text: value };
      continue;
    }
    // Two values of one source: each of them asks. The strongest source comes first, and a weaker one has no say.
    const source = conflicts.find((conflict) => conflict.key === key)?.source;
    for (const conflict of conflicts)
      if (conflict.key === key && conflict.source === source) yield { key, text: conflict.value };
  }
}

/**
 * For each deployment of a route why it is not for the call, or null where it is. First what is excluded, then what is required, then the
 * plain tags; a call that asks for nothing goes to the `default` deployments, or anywhere where there are none.
 */
export function misfits(
  asked: AskedTags,
  deployments: readonly (readonly RouteTag[])[],
  { enabled, match }: Pick<TagRouting, 'enabled' | 'match'>,
): readonly (TagMisfit | null)[] {
  if (!enabled) return deployments.map(() => null);
  const barred = deployments.map((tags) => barredBy(asked, tags));
  const plain = askedHere(asked.plain, deployments);
  if (plain.length === 0) return asked.required.length > 0 ? barred : withDefault(barred, deployments);
  const matched = deployments.map((tags, at) => barred[at] === null && isMatched(plain, tags, match));
  if (matched.includes(true)) return barred.map((why, at) => why ?? (matched[at] === true ? null : UNMATCHED));
  // What some deployment here is tagged with was meant for it: to go elsewhere in silence would be wrong.
  if (deployments.some((tags) => isMatched(plain, tags, 'any'))) return barred.map((why) => why ?? UNMATCHED);
  if (!deployments.some((tags, at) => barred[at] === null && isDefault(tags)))
    return barred.map((why) => why ?? UNMATCHED);
  return withDefault(barred, deployments);
}

const UNMATCHED: TagMisfit = { kind: 'unmatched' };

const NOT_DEFAULT: TagMisfit = { kind: 'not_default' };

function barredBy({ required, excluded }: AskedTags, tags: readonly RouteTag[]): TagMisfit | null {
  for (const tag of excluded) if (tags.some((own) => takes(tag, own))) return { kind: 'excluded', tag };
  for (const tag of required) if (!tags.some((own) => takes(tag, own))) return { kind: 'lacking', tag };
  return null;
}

/**
 * A key that no deployment here knows says whom the call is for, not where it goes; where no deployment has tags at all, so do
 * words.
 */
function askedHere(plain: readonly RouteTag[], deployments: readonly (readonly RouteTag[])[]): readonly RouteTag[] {
  if (plain.length === 0 || deployments.every((tags) => tags.length === 0)) return [];
  return plain.filter(({ key }) => key === null || deployments.some((tags) => tags.some((own) => own.key === key)));
}

function withDefault(
  barred: readonly (TagMisfit | null)[],
  deployments: readonly (readonly RouteTag[])[],
): readonly (TagMisfit | null)[] {
  if (!deployments.some(isDefault)) return barred;
  return barred.map((why, at) => why ?? (isDefault(deployments[at] ?? []) ? null : NOT_DEFAULT));
}

function isDefault(tags: readonly RouteTag[]): boolean {
  return tags.some((own) => own.key === DEFAULT.key && own.text === DEFAULT.text);
}

function isMatched(plain: readonly RouteTag[], tags: readonly RouteTag[], match: TagRouting['match']): boolean {
  const has = (tag: RouteTag): boolean => tags.some((own) => takes(own, tag));
  return match === 'any' ? plain.some(has) : plain.every(has);
}

/** Whether `tag` is `outer` or below it, by whole segments, as in filters and budgets. */
function takes(outer: RouteTag, tag: RouteTag): boolean {
  return outer.key === tag.key && isUnder(tag.text, outer.text);
}
