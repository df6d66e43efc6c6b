import type { JsonMember } from '#std';
import { ApportionError } from '#terms';
import { readFormText } from './multipart.ts';
import type { RequestBody } from './wire.ts';

/** What a field must be, as JSON, and how a form writes it. */
export type Shape<T> = {
  readonly accepts: (value: unknown) => value is T;
  readonly shape: string;
  readonly fromForm: (text: string) => unknown;
};

/** The value of a field of a JSON body or a form; undefined when it is not there. */
export function readField<T>(body: RequestBody, name: string, { accepts, shape, fromForm }: Shape<T>): T | undefined {
  const value = body.form === null ? readMember(body, name) : readFormValue(body, name, fromForm);
  if (value === undefined) return undefined;
  if (!accepts(value))
    throw new ApportionError('invalid_field', `The field ${name} must be ${shape}.`, { param: name });
  return value;
}

function readMember(body: RequestBody, name: string): unknown {
  const member = body.members.get(name);
  if (member === undefined) return undefined;
  try {
    return parseValue(body, member);
  } catch (cause) {
    throw new ApportionError('body_not_json', `The field ${name} is not valid JSON.`, { param: name, cause });
  }
}

function readFormValue(body: RequestBody, name: string, fromForm: (text: string) => unknown): unknown {
  if (body.form === null) return undefined;
  const text = readFormText(body.form, body.bytes, name);
  return text === undefined ? undefined : fromForm(text);
}

export function parseValue(body: RequestBody, member: JsonMember): unknown {
  return JSON.parse(body.bytes.toString('utf8', member.valueStart, member.end));
}

/** Whether a JSON body has the field, with something else than null. */
export function isGiven(body: RequestBody, name: string): boolean {
  const member = body.members.get(name);
  return member !== undefined && body.bytes.toString('latin1', member.valueStart, member.end) !== 'null';
}

export const TEXT: Shape<string> = {
  accepts: (value) => typeof value === 'string',
  shape: 'a string such as "gpt-4o-mini"',
  fromForm: (text) => text,
};

export const OPTIONAL_TEXT: Shape<string | null> = {
  accepts: (value) => typeof value === 'string' || value === null,
  shape: 'a string',
  fromForm: (text) => text,
};

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  '1': true,
  false: false,
  False: false,
  '0': false,
};

export const FLAG: Shape<boolean | null> = {
  accepts: (value) => typeof value === 'boolean' || value === null,
  shape: 'true or false',
  fromForm: (text) => FLAGS[text] ?? text,
};

export const COUNT: Shape<number | null> = {
  accepts: (value): value is number | null =>
    value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0),
  shape: 'a whole number',
  fromForm: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text),
};

export const OBJECT: Shape<Record<string, unknown> | null> = {
  accepts: isObjectOrNull,
  shape: 'an object',
  fromForm: (text) => text,
};

export function isObjectOrNull(value: unknown): value is Record<string, unknown> | null {
  return typeof value === 'object' && !Array.isArray(value);
}
