import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';

/** A number as the caller wrote it: `2.0` and `2` are different tag values. */
export class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type TextMember = {
  readonly key: string;
  readonly value: string;
  /** The member as written, key and value. */
  readonly text: string;
};

/** The members of a JSON object's text, repeated keys included, or null when the text is not an object. */
export function membersOf(text: string, at: string): readonly TextMember[] | null {
  if (!text.startsWith('{')) return null;
  const bytes = Buffer.from(text);
  const scan = scanJsonObject(bytes);
  if (!scan.ok) throw brokenJson(at);
  // Where every character is one byte, offsets into bytes are offsets into the text, which is cheaper to cut.
  const isAscii = bytes.length === text.length;
  const cut = (from: number, to: number) => (isAscii ? text.slice(from, to) : bytes.toString('utf8', from, to));
  return scan.members.map(({ key, start, valueStart, end }) => ({
    key,
    value: cut(valueStart, end),
    text: cut(start, end),
  }));
}

/**
 * An object that has nothing but strings and no escapes, or null when it takes `membersOf` to see all that is written:
 * `JSON.parse` alone forgets repeated keys and how numbers were written.
 */
export function plainObjectOf(text: string, at: string): Readonly<Record<string, string>> | null {
  if (text.includes('\\')) return null;
  const value = parse(text, at);
  if (!isPlain(value)) return null;
  return quotesIn(text) === Object.keys(value).length * 4 ? value : null;
}

function isPlain(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(isText);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function quotesIn(text: string): number {
  let quotes = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes;
}

/** Parses a value; numbers come back as `WrittenNumber`, also those directly in a list. */
export function parseText(text: string, at: string): unknown {
  const value = parse(text, at);
  const hasNumber = Array.isArray(value) ? value.some(isNumber) : isNumber(value);
  return hasNumber ? JSON.parse(text, keepNumber) : value;
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw brokenJson(at, cause);
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}

function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  return new WrittenNumber(context?.source ?? String(value));
}

function brokenJson(at: string, cause?: unknown): ApportionError {
  return new ApportionError('body_not_json', `${at} is not valid JSON.`, { param: at, cause });
}
