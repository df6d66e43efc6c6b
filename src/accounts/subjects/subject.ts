import { type Scope } from '#budgets';
import { parseTag } from '#tags';
import { invariant } from '#std';

export const SUBJECT_KINDS = ['key', 'team', 'tag', 'customer', 'user'] as const;

/** What LiteLLM's clients set budgets and limits on. */
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export type SubjectName = { readonly kind: SubjectKind; readonly id: string };

/** The calls that count for it. Tags count as callers declare them: such a budget only adds a bound to those of the key. */
export function scopeOf({ kind, id }: SubjectName): Scope {
  const values = { kind: 'is', value: id } as const;
  switch (kind) {
    case 'key':
    case 'team':
      return [{ on: kind, values }];
    case 'user':
      return [{ on: 'owner', values }];
    case 'customer':
      return [{ on: 'dimension', key: 'customer', values }];
    case 'tag': {
      const tag = parseTag(id, 'name');
      invariant(tag !== null, `the registered tag ${id} is one`);
      if (tag.kind === 'label') return [{ on: 'label', label: tag.label }];
      if (tag.kind === 'path') return [{ on: 'label', label: tag.segments.join('/') }];
      return [{ on: 'dimension', key: tag.key, values: { kind: 'is', value: tag.value } }];
    }
  }
}

/** Names its rules for ever: `customer:acme:max`. */
export function ruleIdOf({ kind, id }: SubjectName, what: string): string {
  return `${kind}:${id}:${what}`;
}
