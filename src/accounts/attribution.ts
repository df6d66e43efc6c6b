import {
  DEFAULT_TAG_RULES,
  NO_TAGS,
  parseTagPolicy,
  readDefaultTags,
  type TagDeclaration,
  type TagPolicy,
  type TagRules,
} from '#tags';
import { ApportionError } from '#terms';

/** What a key or a team says of its calls' tags, read from its metadata: `tags`, `locked_tags`, `tag_policy`. */
export type Attribution = {
  /** Fill what a call leaves open. */
  readonly defaultTags: TagDeclaration;
  /** Dimensions a call cannot change. No labels, no paths, one value each. */
  readonly lockedTags: TagDeclaration;
  readonly tagPolicy: TagPolicy | null;
};

export const NO_ATTRIBUTION: Attribution = { defaultTags: NO_TAGS, lockedTags: NO_TAGS, tagPolicy: null };

/** Metadata fields that mean something here; all others are the admin's own notes. */
export const ATTRIBUTION_FIELDS = ['tags', 'locked_tags', 'tag_policy'] as const;

type Metadata = Readonly<Record<string, unknown>>;

/** Reads all of it. Throws `ApportionError` naming the field, so that who writes it is told at once. */
export function readAttribution(metadata: Metadata): Attribution {
  return {
    defaultTags: readDefaultTags(metadata),
    lockedTags: readLockedTags(metadata, DEFAULT_TAG_RULES),
    tagPolicy: readTagPolicy(metadata),
  };
}

/**
 * Reads what can be read. What is stored was checked when it was written, so a fault here comes from older rules; it
 * must not stop every caller, and every call it touches says so.
 *
 * @param owner `whose` it is, for the warning; `rules` of the operator, which may let a path set a dimension
 */
export function readStoredAttribution(
  metadata: Metadata,
  { whose, rules }: { readonly whose: 'key' | 'team'; readonly rules: TagRules },
): Attribution {
  const warnings: string[] = [];
  const orElse = <T>(read: (metadata: Metadata, rules: TagRules) => T, [what, fallback]: readonly [string, T]): T => {
    try {
      return read(metadata, rules);
    } catch (error) {
      if (!(error instanceof ApportionError)) throw error;
      warnings.push(`the ${what} of this ${whose} break the current tag rules and were left out`);
      return fallback;
    }
  };
  const defaultTags = orElse(readDefaultTags, ['default tags', NO_TAGS]);
  const lockedTags = orElse(readLockedTags, ['locked tags', NO_TAGS]);
  const tagPolicy = orElse(readTagPolicy, ['policy rules', null]);
  if (warnings.length === 0) return { defaultTags, lockedTags, tagPolicy };
  return { defaultTags: { ...defaultTags, warnings: [...defaultTags.warnings, ...warnings] }, lockedTags, tagPolicy };
}

function readLockedTags({ locked_tags: lockedTags }: Metadata, rules: TagRules): TagDeclaration {
  const declaration = relocated('locked_tags', () => readDefaultTags({ tags: lockedTags }, rules));
  const [warning] = declaration.warnings;
  // Where a default may be empty, a lock that locks nothing would only look like one.
  if (warning !== undefined) throw unfitLock(warning.replace('metadata.tags', 'locked_tags'));
  const valueless = declaration.labels[0] ?? declaration.paths[0];
  if (valueless !== undefined) throw unfitLock(`${JSON.stringify(valueless)} has no key`);
  for (const [key, values] of declaration.dimensions) {
    if (values.length > 1) throw unfitLock(`${key} has two values`);
  }
  return declaration;
}

function unfitLock(problem: string): ApportionError {
  return new ApportionError('invalid_tag', `locked_tags: ${problem}.`, {
    param: 'locked_tags',
    hint: 'A lock is one value for a key: {"team": "growth"} or ["team:growth"].',
  });
}

function readTagPolicy({ tag_policy: policy }: Metadata): TagPolicy | null {
  return policy === undefined || policy === null ? null : parseTagPolicy(policy, 'tag_policy');
}

/** Default tags and locks have one grammar; an error names the field that was sent. */
function relocated<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    throw new ApportionError(error.code, error.message.replaceAll('metadata.tags', field), {
      ...(error.hint === null ? {} : { hint: error.hint }),
      ...(error.param === null ? {} : { param: error.param.replace('metadata.tags', field) }),
      cause: error,
    });
  }
}
