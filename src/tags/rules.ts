import { ApportionError, type ENTITY_TYPES } from '#terms';
import { checkKey } from './parse-tag.ts';

/** A header of the operator's own: it sets a dimension, or becomes the label `x-name: value` as LiteLLM writes it. */
export type HeaderTarget = { readonly as: 'dimension'; readonly key: string } | { readonly as: 'label' };

/** What an operator decides about reading tags, ready for the call path. */
export type TagRules = {
  /** By lower-case header name. */
  readonly headers: ReadonlyMap<string, HeaderTarget>;
  /** The members of W3C `baggage` that are tags; all others belong to somebody else. */
  readonly baggage: ReadonlySet<string>;
  /** In order of precedence for the primary entity. */
  readonly entityTypes: readonly string[];
  /** First segment of a path → the dimension that its second segment sets too. */
  readonly pathRoots: ReadonlyMap<string, string>;
  /** Whether an end user (`user`, `safety_identifier`, …) is the customer where nobody declares one. */
  readonly endUserAs: 'customer' | 'end_user';
};

/** `TagRules` as a settings file has them; everything may be missing. */
export type TagRulesInput = {
  /** Header name → dimension; null for a label. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined;
  readonly baggage?: readonly string[] | undefined;
  /** In addition to `ENTITY_TYPES`. */
  readonly entityTypes?: readonly string[] | undefined;
  readonly pathRoots?: Readonly<Record<string, string>> | undefined;
  readonly endUserAs?: 'customer' | 'end_user' | undefined;
};

/** Whom a call counts for when no entity was declared as such. */
const PRIMARY_ORDER: readonly string[] = [
  'customer',
  'project',
  'team',
  'employee',
] satisfies (typeof ENTITY_TYPES)[number][];

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** A header that proves who is calling must not end up in a ledger. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-litellm-api-key',
  'x-portkey-api-key',
  'helicone-auth',
  'cf-aig-authorization',
  'x-bf-vk',
  'x-bf-api-key',
]);

/** Throws `invalid_field` or a tag error whose `param` names the setting (`headers.x-department`). */
export function compileTagRules(input: TagRulesInput): TagRules {
  const baggage = input.baggage ?? [];
  for (const key of baggage) checkKey(key, 'baggage');
  const entityTypes = input.entityTypes ?? [];
  for (const type of entityTypes) checkKey(type, 'entity_types');
  const pathRoots = Object.entries(input.pathRoots ?? {});
  for (const [root, dimension] of pathRoots) checkPathRoot(root, dimension);
  return {
    headers: compileHeaders(input.headers ?? {}),
    baggage: new Set(baggage),
    entityTypes: Array.from(new Set([...PRIMARY_ORDER, ...entityTypes])),
    pathRoots: new Map(pathRoots),
    endUserAs: input.endUserAs ?? 'customer',
  };
}

function checkPathRoot(root: string, dimension: string): void {
  const at = `path_roots.${root}`;
  if (root.trim() !== root || root === '' || root.includes('/')) {
    throw new ApportionError('invalid_field', `${at}: a root is the first segment of a path, without slashes.`, {
      param: at,
    });
  }
  checkKey(dimension, at);
}

function compileHeaders(input: Readonly<Record<string, string | null>>): ReadonlyMap<string, HeaderTarget> {
  const headers = new Map<string, HeaderTarget>();
  for (const [name, key] of Object.entries(input)) {
    const [lower, target] = compileHeader(name, key);
    if (headers.has(lower)) {
      throw new ApportionError('invalid_field', `headers.${name}: this header is there twice.`, {
        param: `headers.${name}`,
        hint: 'Header names do not differ by case.',
      });
    }
    headers.set(lower, target);
  }
  return headers;
}

function compileHeader(name: string, key: string | null): [string, HeaderTarget] {
  const at = `headers.${name}`;
  const lower = name.toLowerCase();
  if (!HEADER_NAME.test(lower))
    throw new ApportionError('invalid_field', `${at}: this is no header name.`, { param: at });
  if (SECRET_HEADERS.has(lower)) {
    throw new ApportionError('invalid_field', `${at}: this header carries a credential.`, {
      param: at,
      hint: 'A credential is never stored; let the client send another header.',
    });
  }
  if (key === null) return [lower, { as: 'label' }];
  checkKey(key, at);
  return [lower, { as: 'dimension', key }];
}

export const DEFAULT_TAG_RULES: TagRules = compileTagRules({});
