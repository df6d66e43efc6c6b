/**
 * The top-level members of a JSON object, found by scanning bytes once. What is only forwarded is never parsed: member
 * values are delimited (strings, brackets and nesting are checked), not validated inside.
 */
export type JsonMember = {
  readonly key: string;
  /** Offset of the key's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  /** One past the value's last byte. */
  readonly end: number;
};

export type JsonScan =
  | { readonly ok: true; readonly members: readonly JsonMember[] }
  | { readonly ok: false; readonly at: number; readonly problem: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const MAX_DEPTH = 256;

/** Up to here a loop beats the call into native `indexOf`. */
const SHORT_STRING_BYTES = 48;

const PRIMITIVE = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

class ScanFailure {
  readonly at: number;
  readonly problem: string;
  constructor(at: number, problem: string) {
    this.at = at;
    this.problem = problem;
  }
}

export function scanJsonObject(bytes: Buffer): JsonScan {
  try {
    return { ok: true, members: scanMembers(bytes) };
  } catch (failure) {
    if (failure instanceof ScanFailure) return { ok: false, at: failure.at, problem: failure.problem };
    throw failure;
  }
}

/** One past the end of the JSON value that starts at `at`, or -1 when it is not complete. */
export function jsonValueEnd(bytes: Buffer, at: number): number {
  try {
    return skipValue(bytes, at);
  } catch (failure) {
    if (failure instanceof ScanFailure) return -1;
    throw failure;
  }
}

function scanMembers(bytes: Buffer): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== OPEN_OBJECT) throw new ScanFailure(at, 'a JSON object must begin with {');
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_OBJECT) {
    at += 1;
  } else {
    for (;;) {
      const member = scanMember(bytes, at);
      members.push(member);
      at = skipSpace(bytes, member.end);
      const next = bytes[at];
      at += 1;
      if (next === CLOSE_OBJECT) break;
      if (next !== COMMA) throw new ScanFailure(at - 1, 'expected , or } after a value');
      at = skipSpace(bytes, at);
    }
  }
  at = skipSpace(bytes, at);
  if (at !== bytes.length) throw new ScanFailure(at, 'unexpected text after the object');
  return members;
}

function scanMember(bytes: Buffer, start: number): JsonMember {
  if (bytes[start] !== QUOTE) throw new ScanFailure(start, 'expected a field name in double quotes');
  const keyEnd = skipString(bytes, start);
  const colon = skipSpace(bytes, keyEnd);
  if (bytes[colon] !== COLON) throw new ScanFailure(colon, 'expected : after a field name');
  const valueStart = skipSpace(bytes, colon + 1);
  return { key: readKey(bytes, start, keyEnd), start, valueStart, end: skipValue(bytes, valueStart) };
}

/** The same few names come again and again, and comparing one with its bytes takes a tenth of what reading it takes. */
const KNOWN_KEYS = 512;
const knownKeys = Array.from({ length: KNOWN_KEYS }, () => '');

function readKey(bytes: Buffer, start: number, end: number): string {
  const length = end - start - 2;
  const place =
    ((bytes[start + 1] ?? 0) * 7 + (bytes[end - 2] ?? 0) * 31 + (bytes[start + 1 + (length >> 1)] ?? 0) + length * 67) %
    KNOWN_KEYS;
  const known = knownKeys[place];
  if (known?.length === length && isAt(bytes, start + 1, known)) return known;
  const key = decodeKey(bytes, start, end);
  // As many characters as bytes: plain ASCII, without an escape.
  if (key.length === length) knownKeys[place] = key;
  return key;
}

function isAt(bytes: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

function decodeKey(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  // An escaped name is the same name: "mod\u0065l" must not slip past the check for duplicates.
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    throw new ScanFailure(start, 'a field name has a broken escape');
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
    at += 1;
  }
}

function skipValue(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return skipNested(bytes, at);
  return skipPrimitive(bytes, at);
}

function skipPrimitive(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && at - start < 400) {
    const byte = bytes[at];
    if (
      byte === COMMA ||
      byte === CLOSE_OBJECT ||
      byte === CLOSE_ARRAY ||
      byte === 0x20 ||
      byte === 0x0a ||
      byte === 0x0d ||
      byte === 0x09
    )
      break;
    at += 1;
  }
  if (isWholeNumber(bytes, start, at) || PRIMITIVE.test(bytes.toString('latin1', start, at))) return at;
  throw new ScanFailure(start, 'expected a value');
}

const ZERO = 0x30;
const NINE = 0x39;

/** Most values that are no strings: seen without making a text of them. */
function isWholeNumber(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === ZERO) return end === start + 1;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return false;
  }
  return end > start;
}

function skipNested(bytes: Buffer, start: number): number {
  const closers: number[] = [];
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (closers.length === MAX_DEPTH) throw new ScanFailure(at, `nested deeper than ${MAX_DEPTH} levels`);
      closers.push(byte + 2);
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (closers.pop() !== byte) throw new ScanFailure(at, 'a bracket closes the wrong thing');
      if (closers.length === 0) return at + 1;
    }
    at += 1;
  }
  throw new ScanFailure(at, 'the text ends inside an object or array');
}

function skipString(bytes: Buffer, start: number): number {
  const shortEnd = Math.min(bytes.length, start + SHORT_STRING_BYTES);
  let at = start + 1;
  while (at < shortEnd) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) throw new ScanFailure(bytes.length, 'the text ends inside a string');
    if (!isEscaped(bytes, quote, at)) return quote + 1;
    at = quote + 1;
  }
}

/** Whether an odd run of backslashes stands before `quote`, looking back no further than `from`. */
function isEscaped(bytes: Buffer, quote: number, from: number): boolean {
  let at = quote - 1;
  while (at >= from && bytes[at] === BACKSLASH) at -= 1;
  return (quote - 1 - at) % 2 === 1;
}
