import { ApportionError, LIMITS } from '#terms';
import { checkKey, checkText, classifyTag, classifyValueless, UNTAGGED, type ParsedTag } from './parse-tag.ts';

/** One condition on a call's tags; a list of them is AND. */
export type TagFilter =
  /** Any of `values`; `null` stands for calls without the key. */
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
  if (filter.kind === 'path') return [escapeValueless(filter.segments.join('/'))];
  if (filter.kind === 'label') return [escapeValueless(filter.label)];
  return filter.values.map((value) => `${filter.key}:${value === null ? UNTAGGED : escapeValue(value)}`);
}

function escapeValue(value: string): string {
  // `key://…` would be read as a URL, which is a label.
  return value.replaceAll(/[\\,]/g, String.raw`\$&`).replace(/^\/\//, String.raw`\//`);
}

function escapeValueless(text: string): string {
  return text.replaceAll(/[\\,:]/g, String.raw`\$&`);
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
  const tag = URL_LIKE.test(text) ? classifyTag(text) : classifyValueless(text);
  if (tag === null) throw badQuery(`"${element}" says nothing`);
  asQueryError(() => checkText(text, { at: 'tags', maxChars: LIMITS.tagValueChars }));
  return tag;
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
