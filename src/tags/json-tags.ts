import { ApportionError } from '#terms';
import { type DeclarationDraft } from './declaration.ts';
import { membersOf, parseText, WrittenNumber, type TextMember } from './json-text.ts';

/** `tags` is an object (InfraPrism), an array of strings (LiteLLM, FastRouter, NemoRouter) or one comma-separated string. */
export function readTags(draft: DeclarationDraft, text: string, at: string): void {
  const members = membersOf(text, at);
  if (members !== null) {
    for (const { key, value } of members) readMember(draft, { key, value }, at);
    return;
  }
  const value = parseText(text, at);
  if (value === null) return;
  if (typeof value === 'string') {
    for (const tag of value.split(',')) draft.addTag(tag, at);
  } else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => readItem(draft, item, `${at}[${index}]`));
  } else {
    throw wrongType(at, 'Send an object of strings, an array of strings, or one string.');
  }
}

/** One member of an object of tags: a dimension. */
export function readMember(
  draft: DeclarationDraft,
  { key, value: text }: Pick<TextMember, 'key' | 'value'>,
  at: string,
): void {
  const path = `${at}.${key}`;
  const value = scalarText(parseText(text, path));
  if (value === undefined) throw wrongType(path, 'A tag value is a string, a number or a boolean.');
  if (value === null) warnAbsent(draft, { key, path }, at);
  else draft.addDimension({ key, text: value }, path);
}

function readItem(draft: DeclarationDraft, item: unknown, at: string): void {
  const text = scalarText(item);
  if (text === undefined)
    throw wrongType(at, 'A tag in a list is a string such as "team:growth", "US/California" or "beta".');
  if (text === null) draft.warn(`${at} is null and was left out`);
  else draft.addTag(text, at);
}

/** An object that others let anything into; what cannot be a dimension is left out, and said so. */
export function readLooseMetadata(draft: DeclarationDraft, text: string, at: string): void {
  const members = membersOf(text, at);
  if (members === null) {
    if (text !== 'null') throw wrongType(at, 'Send an object.');
    return;
  }
  let leftOut = 0;
  for (const { key, value: raw } of members) {
    const value = scalarText(parseText(raw, at));
    if (value === undefined || value === null || !SIMPLE_KEY.test(key)) leftOut += 1;
    else draft.addDimension({ key, text: value }, `${at}.${key}`);
  }
  if (leftOut > 0) draft.warn(`${leftOut} fields of ${at} cannot be tags and were left out`);
}

const SIMPLE_KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** The text of a string, number or boolean; null for null; undefined for anything else. */
export function scalarText(value: unknown): string | null | undefined {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'boolean') return String(value);
  return value instanceof WrittenNumber ? value.text : undefined;
}

function warnAbsent(draft: DeclarationDraft, { key, path }: { key: string; path: string }, at: string): void {
  // Keys outside the grammar may hold what no header can carry.
  draft.warn(`${SIMPLE_KEY.test(key) ? path : `a key of ${at}`} is null and was left out`);
}

function wrongType(at: string, hint: string): ApportionError {
  return new ApportionError('invalid_tag', `${at} has a type that cannot be a tag.`, { param: at, hint });
}
