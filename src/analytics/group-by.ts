import { isTagKey } from '#ledger/store';
import { LIMITS } from '#terms';
import { BUILT_INS, type BuiltIn } from './built-in.ts';
import { INTERVALS, type Interval } from './calendar.ts';
import { PROVEN_NAMES, type ProvenName } from './filter.ts';
import { invalidQuery, nearest } from './parameters.ts';

/** What a report is broken down by, as the caller wrote it. */
export type GroupBy =
  | { readonly kind: 'entity' | 'model' | 'provider' | 'key' | 'status' | 'label' | 'cost_state' }
  | { readonly kind: 'built_in'; readonly name: BuiltIn }
  | { readonly kind: 'time'; readonly interval: Interval }
  | { readonly kind: 'tag'; readonly key: string }
  | { readonly kind: 'tag_tree'; readonly key: string; readonly prefix: string | null }
  | { readonly kind: 'path'; readonly prefix: string | null }
  | { readonly kind: 'proven'; readonly name: ProvenName };

/** The tag a report is broken down by, if it is one. */
export function tagKeyOf(groupBy: GroupBy): string | undefined {
  return groupBy.kind === 'tag' || groupBy.kind === 'tag_tree' ? groupBy.key : undefined;
}

const FIXED = ['entity', 'model', 'provider', 'key', 'status', 'cost_state', 'label', 'path', ...INTERVALS] as const;

const PLAIN = [...FIXED, ...BUILT_INS] as const;

export function parseGroupBy(text: string): GroupBy {
  if (text.startsWith('tags.')) return parseTagGroup(text.slice('tags.'.length));
  if (text.startsWith('path:')) return { kind: 'path', prefix: parsePathPrefix(text.slice('path:'.length)) };
  const name = PROVEN_NAMES.find((one) => one === text);
  if (name !== undefined) return { kind: 'proven', name };
  const builtIn = BUILT_INS.find((one) => one === text);
  if (builtIn !== undefined) return { kind: 'built_in', name: builtIn };
  const fixed = FIXED.find((one) => one === text);
  switch (fixed) {
    case undefined:
      throw unknownGroup(text);
    case 'hour':
    case 'day':
    case 'week':
    case 'month':
      return { kind: 'time', interval: fixed };
    case 'path':
      return { kind: 'path', prefix: null };
    default:
      return { kind: fixed };
  }
}

function unknownGroup(text: string): Error {
  if (text.includes(',')) return invalidQuery('group_by', 'A report has one group_by.', 'Ask once per breakdown.');
  const message = `"${text}" is nothing to group by.`;
  if (isTagKey(text) && nearest(text, PLAIN).startsWith('Use')) {
    return invalidQuery('group_by', message, `For the tag "${text}" write tags.${text}. ${nearest(text, PLAIN)}`);
  }
  return invalidQuery(
    'group_by',
    message,
    nearest(text, [...PLAIN, ...PROVEN_NAMES, 'path:PREFIX', 'tags.KEY', 'tags.KEY:PREFIX']),
  );
}

/** `team`: by value; `team:/`: the roots of values that are paths; `team:eng`: what is below `eng`. */
function parseTagGroup(text: string): GroupBy {
  const [key = '', ...rest] = text.split(':');
  if (!isTagKey(key)) {
    throw invalidQuery(
      'group_by',
      `"${key}" is no tag key.`,
      `A key has up to ${LIMITS.tagKeyChars} letters, digits, "_", "." and "-", as in tags.feature.`,
    );
  }
  if (rest.length === 0) return { kind: 'tag', key };
  const prefix = rest.join(':');
  if (prefix === '') {
    throw invalidQuery('group_by', `The value after "${key}:" is empty.`, `Write tags.${key}:/ for the roots.`);
  }
  return { kind: 'tag_tree', key, prefix: prefix.replace(/\/+$/, '') || null };
}

function parsePathPrefix(text: string): string {
  const segments = text
    .split('/')
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '');
  if (segments.length === 0) {
    throw invalidQuery('group_by', 'The path after "path:" is empty.', 'Write path:US, or path for the roots.');
  }
  return segments.join('/');
}
