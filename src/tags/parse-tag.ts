import { ApportionError, LIMITS } from '#terms';

/** A dimension's value when one source gave it two: the call still falls into exactly one bucket. */
export const MULTIPLE = '(multiple)';

/** The bucket of calls that do not carry a key. Never a value a caller can send. */
export const UNTAGGED = '(untagged)';

/** Names of report buckets. A caller who could send them could hide in them. */
const REPORT_WORDS: ReadonlySet<string> = new Set([MULTIPLE, UNTAGGED, '(other)', '(direct)']);

const DEDICATED_FIELDS: ReadonlySet<string> = new Set(['entity_type', 'entity_id', 'session_id']);

const RESERVED_KEY = /^_(?:infraprism|apportion)_/;

const COLON = 0x3a;

const UNDERSCORE = 0x5f;

const KEY_RULE = `Keys match [A-Za-z_][A-Za-z0-9_.-]* and have at most ${LIMITS.tagKeyChars} characters.`;

/** What one tag says. A path has at least two segments: `/US/` is the label `US`. */
export type ParsedTag =
  | { readonly kind: 'dimension'; readonly key: string; readonly value: string }
  | { readonly kind: 'path'; readonly segments: readonly string[] }
  | { readonly kind: 'label'; readonly label: string };

/**
 * Reads one tag as written in an array: `key:value`, a `path/with/segments`, or a flat label. `null` when it says
 * nothing (`""`, `"team:"`, `"/"`). Throws `invalid_tag`, `reserved_tag` or `tag_limit_exceeded` with `at` as `param`.
 */
export function parseTag(text: string, at = 'tag'): ParsedTag | null {
  const tag = classifyTag(text);
  if (tag !== null) checkTag(tag, at);
  return tag;
}

/** Limits and reserved names. */
export function checkTag(tag: ParsedTag, at: string): void {
  if (tag.kind === 'path') {
    checkPath(tag.segments, at);
  } else if (tag.kind === 'label') {
    checkValue(tag.label, at);
  } else {
    checkKey(tag.key, at);
    checkValue(tag.value, at);
  }
}

/** The grammar alone, without limits and reserved names. */
export function classifyTag(text: string): ParsedTag | null {
  const tag = text.trim();
  const end = keyEnd(tag);
  if (end === 0 || tag.charCodeAt(end) !== COLON) return classifyValueless(tag);
  // `https://…` has the form of a key and a value, but nobody means the dimension "https".
  if (tag.startsWith('//', end + 1)) return { kind: 'label', label: tag };
  const value = tag.slice(end + 1).trimStart();
  return value === '' ? null : { kind: 'dimension', key: tag.slice(0, end), value };
}

/** The length of the legal key that `text` begins with; 0 when it begins with none. A loop: this runs for every tag. */
function keyEnd(text: string): number {
  let end = 0;
  while (end < text.length && isKeyChar(text.charCodeAt(end), end)) end += 1;
  return end;
}

/** `[A-Za-z_]`, and from the second character on also `[0-9.-]`. */
function isKeyChar(code: number, at: number): boolean {
  if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === UNDERSCORE) return true;
  return at > 0 && ((code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e);
}

/** A tag that is known to have no key: a path if a `/` stands between segments, else a label. */
export function classifyValueless(text: string): ParsedTag | null {
  if (!text.includes('/')) return labelOrNothing(text.trim());
  const segments = segmentsOf(text);
  return segments.length > 1 ? { kind: 'path', segments } : labelOrNothing(segments[0] ?? '');
}

/** Trimmed, without empty ones. */
export function segmentsOf(text: string): readonly string[] {
  const segments = text.split('/');
  if (segments.every(isSegment)) return segments;
  return segments.map((segment) => segment.trim()).filter((segment) => segment !== '');
}

function isSegment(text: string): boolean {
  return text !== '' && text.trim() === text;
}

function labelOrNothing(label: string): ParsedTag | null {
  return label === '' ? null : { kind: 'label', label };
}

export function checkKey(key: string, at: string): void {
  if (key === '' || keyEnd(key) !== key.length) {
    throw new ApportionError('invalid_tag', `${at}: this is not a tag key.`, { param: at, hint: KEY_RULE });
  }
  if (key.length > LIMITS.tagKeyChars) {
    throw overLimit(at, `the key has ${key.length} characters, the limit is ${LIMITS.tagKeyChars}`);
  }
  if (DEDICATED_FIELDS.has(key)) {
    throw new ApportionError('reserved_tag', `${at}: the tag key "${key}" is reserved.`, {
      param: at,
      hint: `Send ${key} as the request field of that name.`,
    });
  }
  if (key.charCodeAt(0) === UNDERSCORE && RESERVED_KEY.test(key)) {
    throw new ApportionError('reserved_tag', `${at}: the tag key "${key}" is reserved.`, {
      param: at,
      hint: 'Keys that begin with _infraprism_ or _apportion_ are for internal use; choose another name.',
    });
  }
}

/** Limits for a dimension's value, a label or an entity id. */
export function checkValue(value: string, at: string): void {
  checkText(value, { at, maxChars: LIMITS.tagValueChars });
  checkWord(value, at);
}

export function checkPath(segments: readonly string[], at: string): void {
  if (segments.length > LIMITS.pathDepth) {
    throw overLimit(at, `the path has ${segments.length} segments, the limit is ${LIMITS.pathDepth}`);
  }
  if (joinedLength(segments) > LIMITS.tagValueChars) {
    checkText(segments.join('/'), { at, maxChars: LIMITS.tagValueChars });
  }
  for (const segment of segments) checkValue(segment, at);
}

/** The length of the segments with a slash between each two. */
export function joinedLength(segments: readonly string[]): number {
  let length = segments.length - 1;
  for (const segment of segments) length += segment.length;
  return length;
}

export function checkText(text: string, limit: { at: string; maxChars: number }): void {
  // A character outside the basic plane is two UTF-16 units; count those only when it matters.
  if (text.length > limit.maxChars && Array.from(text).length > limit.maxChars) {
    throw overLimit(limit.at, `the value has ${Array.from(text).length} characters, the limit is ${limit.maxChars}`);
  }
  if (!text.isWellFormed()) {
    throw new ApportionError('invalid_tag', `${limit.at}: the text has half of a surrogate pair.`, {
      param: limit.at,
      hint: 'Send valid Unicode; a half pair cannot be stored and read back unchanged.',
    });
  }
}

function checkWord(text: string, at: string): void {
  if (text.startsWith('(') && REPORT_WORDS.has(text)) {
    throw new ApportionError('reserved_tag', `${at}: the value "${text}" is reserved.`, {
      param: at,
      hint: 'Reports use this word for a bucket of their own; leave the tag out or choose another value.',
    });
  }
}

export function overLimit(at: string, what: string): ApportionError {
  return new ApportionError('tag_limit_exceeded', `${at}: ${what}.`, {
    param: at,
    hint: 'Nothing is cut silently; shorten the request.',
  });
}
