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
  return scan.members.map(({ key, start, valueStart, end }) => ({
    key,
    value: bytes.toString('utf8', valueStart, end),
    text: bytes.toString('utf8', start, end),
  }));
}

/** Parses a value; numbers inside come back as `WrittenNumber`. */
export function parseText(text: string, at: string): unknown {
  try {
    return NUMBER_INSIDE.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
  } catch (cause) {
    throw brokenJson(at, cause);
  }
}

/** A number value stands at the start or after `:`, `,` or `[`; a hit inside a string only costs the slower parse. */
const NUMBER_INSIDE = /(?:^|[:,[])\s*-?\d/;

function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  return new WrittenNumber(context?.source ?? String(value));
}

function brokenJson(at: string, cause?: unknown): ApportionError {
  return new ApportionError('body_not_json', `${at} is not valid JSON.`, { param: at, cause });
}
