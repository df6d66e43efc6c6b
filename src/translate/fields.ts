import { malformed, unsayable } from './refusal.ts';

/** A JSON object of a request, read strictly: what is not known is refused, null is not there. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param at where it stands, for errors */
export function asFields(value: unknown, at: string): Fields {
  if (isFields(value)) return value;
  throw malformed(at, 'an object');
}

export function asList(value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(at, 'an array');
}

/** Refuses the first field that is not known and asks for something. @param at the object's place; empty for the top. */
export function only(fields: Fields, known: ReadonlySet<string>, at: string): void {
  for (const name in fields) {
    if (known.has(name) || asksNothing(fields[name])) continue;
    throw unsayable(at === '' ? name : `${at}.${name}`, 'it is not known to translation');
  }
}

function asksNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

export function text(fields: Fields, name: string, at = ''): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  throw malformed(place(at, name), 'a string');
}

export function textNeeded(fields: Fields, name: string, at: string): string {
  const value = text(fields, name, at);
  if (value === null) throw malformed(place(at, name), 'a string');
  return value;
}

export function numeral(fields: Fields, name: string, at = ''): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return value;
  throw malformed(place(at, name), 'a number');
}

export function count(fields: Fields, name: string, at = ''): number | null {
  const value = numeral(fields, name, at);
  if (value === null || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw malformed(place(at, name), 'a whole number');
}

export function flag(fields: Fields, name: string, at = ''): boolean | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  throw malformed(place(at, name), 'true or false');
}

/** One of a few words. */
export function word<T extends string>(value: unknown, at: string, words: readonly T[]): T | null {
  if (value === undefined || value === null) return null;
  const found = words.find((one) => one === value);
  if (found !== undefined) return found;
  throw malformed(at, `one of ${words.join(', ')}`);
}

function place(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}
