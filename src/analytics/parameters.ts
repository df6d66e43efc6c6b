import { nearestName } from '#std';
import { ApportionError } from '#terms';

/** The query parameters of one request, each at most once and not empty. */
export type Parameters = {
  text(name: string): string | undefined;
  /** One of a closed list. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined;
  /** A whole number within bounds. */
  whole(name: string, bounds: { readonly least: number; readonly most: number; readonly otherwise: number }): number;
};

export function invalidQuery(param: string, message: string, hint: string): ApportionError {
  return new ApportionError('invalid_query', message, { param, hint });
}

/** What the caller probably meant, for a hint; all choices when nothing is near. */
export function nearest(given: string, choices: readonly string[]): string {
  const near = nearestName(given, choices);
  return near === undefined ? `Use one of: ${choices.join(', ')}.` : `Did you mean "${near}"?`;
}

/**
 * Reads a parsed query string (`unknown` from the HTTP side). A parameter that does not exist, is empty or stands twice is
 * an error: a filter that silently drops out would answer with everybody's money.
 * `tags` may be repeated, as lists of HTTP clients are; that is the same as a comma.
 */
export function parseParameters(query: unknown, known: readonly string[]): Parameters {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(isRecord(query) ? query : {})) {
    if (!known.includes(name)) throw unknownParameter(name, known);
    values.set(name, parseValue(name, value));
  }
  return {
    text: (name) => values.get(name),
    oneOf: (name, allowed) => {
      const value = values.get(name);
      if (value === undefined) return undefined;
      const found = allowed.find((candidate) => candidate === value);
      if (found === undefined) {
        throw invalidQuery(name, `"${value}" is no value of "${name}".`, nearest(value, allowed));
      }
      return found;
    },
    whole: (name, { least, most, otherwise }) => {
      const value = values.get(name);
      if (value === undefined) return otherwise;
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= least && number <= most)) {
        throw invalidQuery(name, `"${name}" is "${value}".`, `Give a whole number from ${least} to ${most}.`);
      }
      return number;
    },
  };
}

function unknownParameter(name: string, known: readonly string[]): ApportionError {
  return invalidQuery(name, `There is no parameter "${name}" here.`, nearest(name, known));
}

function parseValue(name: string, value: unknown): string {
  const parts = Array.isArray(value) ? value : [value];
  if (parts.length > 1 && name !== 'tags') {
    throw invalidQuery(name, `The parameter "${name}" stands ${parts.length} times.`, 'Give it once.');
  }
  const texts = parts.map((part) => (typeof part === 'string' ? part.trim() : ''));
  // A list of nothing but commas filters nothing.
  if (texts.some((text) => text === '' || (name === 'tags' && /^[\s,]+$/.test(text)))) {
    throw invalidQuery(name, `The parameter "${name}" is empty.`, 'Leave it out, or give it a value.');
  }
  return texts.join(',');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
