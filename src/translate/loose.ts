import { isFields, type Fields } from './fields.ts';

/** What a provider sends is read for what it is: anything else in its place says nothing. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : NOTHING;
}

const NOTHING: Fields = {};

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : EMPTY;
}

const EMPTY: readonly unknown[] = [];

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
