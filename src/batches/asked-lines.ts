import { setImmediate as nextTurn } from 'node:timers/promises';
import { scanJsonObject, type JsonMember } from '#std';
import { ApportionError } from '#terms';
import { NO_TARGET, type RequestBody } from '#wires';
import { ANTHROPIC_LINES, OPENAI_LINES, type LineKind } from './line-kinds.ts';

/** What a line asks for, as far as money looks. Null bound parts are those of a call: what cannot be bounded. */
export type AskedLine = {
  readonly customId: string;
  readonly model: string;
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  /** JSON texts of the fields that tags are read from, by name; null where the line says nothing of tags. */
  readonly fields: Readonly<Record<string, string>> | null;
};

/** What the caller's fields in one line's body say, and the body without ours. */
export type CleanLine = { readonly fields: AskedLine['fields']; readonly body: Buffer };

export type CleanedLines = {
  /** What the provider is sent. */
  readonly bytes: Buffer;
  readonly lines: readonly AskedLine[];
};

/** A line that is none we know: the provider refuses it, or it goes to an endpoint that is not metered here. Nothing bounds it. */
const UNREAD: AskedLine = {
  customId: '',
  model: '',
  maxInputTokens: null,
  maxOutputTokens: null,
  choices: 1,
  fields: null,
};

type Cleaning = (body: RequestBody, kind: LineKind) => CleanLine;

const NEWLINE = 0x0a;

/** Lines read before other calls get their turn: a batch has up to a hundred thousand. */
const AT_ONCE = 250;

/** OpenAI's input file: a request a line, as JSON. What is no such line goes on as it came. */
export async function readJsonLines(bytes: Buffer, clean: Cleaning): Promise<CleanedLines> {
  const pieces: Buffer[] = [];
  const lines: AskedLine[] = [];
  let [number, at] = [0, 0];
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline + 1;
    const line = bytes.subarray(at, end);
    number += 1;
    at = end;
    if (number % AT_ONCE === 0) await nextTurn();
    const read = readLine(line, { number, clean, of: OPENAI_LINE });
    pieces.push(read?.bytes ?? line);
    if (read !== null) lines.push(read.asked);
    else if (line.toString('utf8').trim() !== '') lines.push(UNREAD);
  }
  return { bytes: Buffer.concat(pieces), lines };
}

/** Anthropic's list: `requests` of one JSON body. */
export async function readRequestList(body: RequestBody, clean: Cleaning): Promise<CleanedLines> {
  const list = body.members.get('requests');
  if (list === undefined) return { bytes: body.bytes, lines: [UNREAD] };
  const pieces: Buffer[] = [];
  const lines: AskedLine[] = [];
  let copied = 0;
  for (const [index, { start, end }] of itemsOf(body.bytes, list).entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
    const read = readLine(body.bytes.subarray(start, end), { number: index, clean, of: ANTHROPIC_LINE });
    if (read === null) {
      lines.push(UNREAD);
      continue;
    }
    pieces.push(body.bytes.subarray(copied, start), read.bytes);
    copied = end;
    lines.push(read.asked);
  }
  pieces.push(body.bytes.subarray(copied));
  return { bytes: Buffer.concat(pieces), lines };
}

/** Where a dialect's line keeps its request, and how an error calls the line. */
type LineForm = {
  readonly body: string;
  readonly place: (number: number) => string;
  readonly kind: (line: Buffer, members: ReadonlyMap<string, JsonMember>) => LineKind | undefined;
};

const OPENAI_LINE: LineForm = {
  body: 'body',
  place: (number) => `line ${number}`,
  kind: (line, members) => OPENAI_LINES.get(textOf(line, members.get('url'))),
};

const ANTHROPIC_LINE: LineForm = {
  body: 'params',
  place: (index) => `requests[${index}]`,
  kind: () => ANTHROPIC_LINES,
};

type Reading = { readonly number: number; readonly clean: Cleaning; readonly of: LineForm };

function readLine(line: Buffer, { number, clean, of }: Reading): { bytes: Buffer; asked: AskedLine } | null {
  const members = membersOf(line, of.place(number));
  const given = members?.get(of.body);
  const kind = members === null ? undefined : of.kind(line, members);
  if (members === null || given === undefined || kind === undefined) return null;
  const bytes = line.subarray(given.valueStart, given.end);
  const place = `${of.place(number)}.${of.body}`;
  const inside = membersOf(bytes, place);
  if (inside === null) return null;
  const request: RequestBody = { bytes, members: inside, form: null, target: NO_TARGET };
  return namingLine(place, () => {
    const { fields, body } = clean(request, kind);
    const { model, maxInputTokens, maxOutputTokens, choices } = kind.wire.readRequest(request);
    const customId = textOf(line, members.get('custom_id'));
    return {
      bytes: Buffer.concat([line.subarray(0, given.valueStart), body, line.subarray(given.end)]),
      asked: { customId, model, maxInputTokens, maxOutputTokens, choices, fields },
    };
  });
}

/** Null for what is no JSON object: the provider says what is wrong with it. */
function membersOf(bytes: Buffer, place: string): ReadonlyMap<string, JsonMember> | null {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return null;
  const members = new Map<string, JsonMember>();
  for (const member of scan.members) {
    // Parsers differ in which of two they read: what is metered must be what the provider does.
    if (members.has(member.key))
      throw new ApportionError('duplicate_field', `${place}: the field ${member.key} is there twice.`, {
        param: `${place}.${member.key}`,
        hint: 'Send each field once.',
      });
    members.set(member.key, member);
  }
  return members;
}

function textOf(bytes: Buffer, member: JsonMember | undefined): string {
  if (member === undefined) return '';
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', member.valueStart, member.end));
    return typeof value === 'string' ? value : '';
  } catch {
    // A broken text names nothing; the provider refuses the line.
    return '';
  }
}

function namingLine<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    const { code, message, param, hint, cause } = error;
    throw new ApportionError(code, `${place}: ${message}`, {
      cause,
      ...(param === null ? {} : { param: `${place}.${param}` }),
      ...(hint === null ? {} : { hint }),
    });
  }
}

/** The objects of a JSON list that was scanned as a member: its brackets and strings are whole. */
function itemsOf(bytes: Buffer, list: JsonMember): { readonly start: number; readonly end: number }[] {
  const items: { start: number; end: number }[] = [];
  let depth = 0;
  let start = -1;
  for (let at = list.valueStart; at < list.end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = stringEnd(bytes, at);
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth === 2 && byte === OPEN_OBJECT) start = at;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
      if (depth === 1 && byte === CLOSE_OBJECT) items.push({ start, end: at + 1 });
    }
  }
  return items;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The closing quote of the string that opens at `start`; the scan has found it whole already. */
function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
