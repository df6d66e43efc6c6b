import { ApportionError, LIMITS } from '#terms';
import { checkKey, checkText, classifyValueless, UNTAGGED, type ParsedTag } from './parse-tag.ts';

/**
 * One condition on a call's tags; a list of them is AND. Matching is by whole segments everywhere (`isUnder`): `team:eng`
 * finds the values `eng` and `eng/search` but not `engine`, the path `US` finds `US/California`, and the label `US` finds
 * the flat label and every path below it.
 */
export type TagFilter =
  /** A value that is one of `values` or lies below one of them; `null` stands for calls without the key. */
  | { readonly kind: 'dimension'; readonly key: string; readonly values: readonly (string | null)[] }
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'label'; readonly label: string };

/**
 * Reads a `tags=` query parameter: `key:value`, labels and paths between commas. Commas are AND, a repeated key is OR,
 * `key:(untagged)` finds calls without the key; `\,` `\:` `\/` `\\` stand for the character itself. Throws `invalid_query`.
 */
export function parseTagFilter(text: string): TagFilter[] {
  const values = new Map<string, (string | null)[]>();
  const filters = new Map<string, TagFilter>();
  for (const element of splitElements(text)) {
    const tag = parseElement(element);
    const id = tag.kind === 'dimension' ? `:${tag.key}` : JSON.stringify(tag);
    if (tag.kind !== 'dimension') {
      filters.set(id, tag);
      continue;
    }
    const known = values.get(tag.key) ?? [];
    const value = tag.value === UNTAGGED ? null : tag.value;
    if (!known.includes(value)) known.push(value);
    values.set(tag.key, known);
    filters.set(id, { kind: 'dimension', key: tag.key, values: known });
  }
  if (filters.size > LIMITS.tagsPerCall)
    throw badQuery(`it has ${filters.size} conditions, the limit is ${LIMITS.tagsPerCall}`);
  return Array.from(filters.values());
}

/** The text `parseTagFilter` reads back as the same filters. */
export function formatTagFilter(filters: readonly TagFilter[]): string {
  return filters.flatMap(formatElements).join(',');
}

function formatElements(filter: TagFilter): string[] {
  if (filter.kind === 'path') return [escapePath(filter.segments.join('/'))];
  if (filter.kind === 'label') return [escapeLabel(filter.label)];
  return filter.values.map((value) => `${filter.key}:${value === null ? UNTAGGED : escapeValue(value)}`);
}

function escapeValue(value: string): string {
  // `key://…` would be read as a URL, which is a label.
  return value.replaceAll(/[\\,]/g, String.raw`\$&`).replace(/^\/\//, String.raw`\//`);
}

function escapePath(path: string): string {
  return path.replaceAll(/[\\,:]/g, String.raw`\$&`);
}

/** A label may hold a slash (a URL, `x-department: eng/search`): bare it would make it a path. */
function escapeLabel(label: string): string {
  return label.replaceAll(/[\\,:/]/g, String.raw`\$&`);
}

/** Elements between unescaped commas, escapes still inside; empty ones are left out. */
function splitElements(text: string): string[] {
  const elements: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (text[at] === '\\') {
      at += 1;
    } else if (at === text.length || text[at] === ',') {
      elements.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (start <= text.length) elements.push(text.slice(start));
  return elements.filter((element) => element.trim() !== '');
}

const KEY_AND_VALUE = /^\s*([A-Za-z_][A-Za-z0-9_.-]*):(?!\/\/)(.*)$/s;

const URL_LIKE = /^[A-Za-z_][A-Za-z0-9_.-]*:\/\//;

function parseElement(element: string): ParsedTag {
  const [, key, rawValue] = KEY_AND_VALUE.exec(element) ?? [];
  if (key !== undefined && rawValue !== undefined) return dimensionElement(key, rawValue);
  const text = unescape(element).trim();
  // An escaped colon is no separator, so only the URL form of a colon is looked for.
  const tag = isLabel(element, text) ? labelOf(text) : classifyValueless(text);
  if (tag === null) throw badQuery(`"${element}" says nothing`);
  asQueryError(() => checkText(text, { at: 'tags', maxChars: LIMITS.tagValueChars }));
  return tag;
}

/** A URL, or a text whose only slashes are escaped. */
function isLabel(element: string, text: string): boolean {
  if (!text.includes('/')) return true;
  return URL_LIKE.test(text) || !element.replaceAll(/\\./gs, '').includes('/');
}

function labelOf(label: string): ParsedTag | null {
  return label === '' ? null : { kind: 'label', label };
}

function dimensionElement(key: string, rawValue: string): ParsedTag {
  const value = unescape(rawValue).trim();
  if (value === '') throw badQuery(`"${key}:" has no value`, `Write ${key}:${UNTAGGED} for calls without ${key}.`);
  asQueryError(() => {
    checkKey(key, 'tags');
    checkText(value, { at: 'tags', maxChars: LIMITS.tagValueChars });
  });
  return { kind: 'dimension', key, value };
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.?)/gs, (_match, char: string) => {
    if (char === '' || !',:/\\'.includes(char)) {
      throw badQuery(`"\\${char}" is no escape`, String.raw`Use \, \: \/ or \\.`);
    }
    return char;
  });
}

function asQueryError(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    const hint = error.hint === null ? {} : { hint: error.hint };
    throw new ApportionError('invalid_query', error.message, { param: 'tags', cause: error, ...hint });
  }
}

function badQuery(what: string, hint?: string): ApportionError {
  return new ApportionError('invalid_query', `tags: ${what}.`, {
    param: 'tags',
    ...(hint === undefined ? {} : { hint }),
  });
}
