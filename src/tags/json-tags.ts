import { ApportionError } from '#terms';
import { type DeclarationDraft } from './declaration.ts';
import { membersOf, parseText, plainObjectOf, WrittenNumber } from './json-text.ts';

/** A member of an object of tags: its text when it is a string, number or boolean, null for null, undefined for others. */
export type ScalarMember = { readonly key: string; readonly value: string | null | undefined };

/** `tags` is an object (InfraPrism), an array of strings (LiteLLM, FastRouter, NemoRouter) or one comma-separated string. */
export function readTags(draft: DeclarationDraft, text: string, at: string): void {
  if (text.startsWith('{')) {
    readObject(draft, text, at);
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

/** An object of tags: every member is a dimension. */
export function readObject(draft: DeclarationDraft, text: string, at: string): void {
  eachMember(text, at, (member) => readMember(draft, member, at));
}

/** Calls `read` for every member of an object's text, repeated keys included. */
export function eachMember(text: string, at: string, read: (member: ScalarMember) => void): void {
  const plain = plainObjectOf(text, at);
  if (plain !== null) {
    for (const key of Object.keys(plain)) read({ key, value: plain[key] });
    return;
  }
  const members = membersOf(text, at);
  if (members === null) throw wrongType(at, 'Send an object.');
  for (const { key, value } of members) read({ key, value: scalarText(parseText(value, `${at}.${key}`)) });
}

export function readMember(draft: DeclarationDraft, { key, value }: ScalarMember, at: string): void {
  const path = `${at}.${key}`;
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
  if (text === 'null') return;
  let leftOut = 0;
  eachMember(text, at, ({ key, value }) => {
    if (value === undefined || value === null || !SIMPLE_KEY.test(key)) leftOut += 1;
    else draft.addDimension({ key, text: value }, `${at}.${key}`);
  });
  if (leftOut > 0) draft.warn(`${leftOut} fields of ${at} cannot be tags and were left out`);
}

const SIMPLE_KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** The text of a string, number or boolean; null for null; undefined for anything else. */
function scalarText(value: unknown): string | null | undefined {
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
