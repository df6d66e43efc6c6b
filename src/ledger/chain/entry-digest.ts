import { hash } from 'node:crypto';
import { identityOf, type Identity, type IdentityUnit } from './identity.ts';

/** What stands in the place of a value that was erased. */
export const ERASED = '(erased)';

/** `salt` of an entry that lost values: the salts of those that are left, and the digests of those that are gone. */
export type PartSalts = {
  readonly kept: Readonly<Record<string, string>>;
  readonly erased: Readonly<Record<string, string>>;
};

/** First byte of what is hashed, so that no text of one kind can pass for one of the other. */
const PLAIN = Buffer.from([0]);
const SALTED = Buffer.from([1]);
/** JSON text has no raw NUL: it says that a digest of fixed length follows. */
const DIGEST_FOLLOWS = Buffer.from([0]);

const SALT_TEXT = /^[\w-]{22}$/;
const DIGEST_TEXT = /^[\w-]{43}$/;
const UNIT_SALT_TEXT = /^[0-9a-f]{32}$/;
const UNIT_SALT_BYTES = 16;
const UNIT_SALT_CHARS = 2 * UNIT_SALT_BYTES;

/**
 * SHA-256 of an entry's bytes in which the digest of each identifying value stands in its place, and its salts are left out. Erasing a value
 * with its salt leaves it as it was; any other change of any byte does not. An entry without a salt is hashed as it stands.
 */
export function entryDigest(body: Buffer): Buffer {
  return saltedDigest(body) ?? hash('sha256', Buffer.concat([PLAIN, body]), 'buffer');
}

function saltedDigest(body: Buffer): Buffer | null {
  const found = openIdentity(body);
  if (found === null) return null;
  const { salt, units, digests } = found;
  const parts: Buffer[] = [SALTED];
  let at = 0;
  const skipTo = (start: number, end: number): void => {
    parts.push(body.subarray(at, start));
    at = end;
  };
  let saltCut = false;
  for (const [place, unit] of units.entries()) {
    if (!saltCut && salt.start < unit.start) {
      skipTo(salt.start, salt.end);
      saltCut = true;
    }
    skipTo(unit.start, unit.end);
    // Its text rather than its bytes: two texts could stand for the same bytes.
    parts.push(DIGEST_FOLLOWS, Buffer.from(digests[place] ?? '', 'latin1'));
  }
  if (!saltCut) skipTo(salt.start, salt.end);
  skipTo(body.length, body.length);
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** An entry's identifying values with what stands for each in its digest. */
export type OpenIdentity = {
  readonly units: readonly IdentityUnit[];
  readonly salt: { readonly start: number; readonly end: number };
  /** Of each unit: its digest, and its salt unless it is erased. */
  readonly digests: readonly string[];
  readonly salts: readonly (string | null)[];
};

/** Null when the entry has no salt, or one that does not fit its values: then nothing in it is hashed apart. */
export function openIdentity(body: Buffer): OpenIdentity | null {
  const plain = identityOf(body);
  if (plain === null || plain.salt === null) return null;
  const value = parseSalt(body.toString('latin1', plain.salt.start, plain.salt.end));
  if (value === null) return null;
  if (typeof value === 'string') return withSalt(body, plain, value);
  const known = identityOf(body, new Set(Object.keys(value.erased)));
  return known === null ? null : withPartSalts(body, known, value);
}

function withSalt(body: Buffer, { units, salt }: Identity, text: string): OpenIdentity | null {
  if (salt === null) return null;
  const salts = unitSalts(text, units.length);
  return { units, salt, salts, digests: units.map((unit, place) => unitDigest(body, unit, salts[place] ?? '')) };
}

function withPartSalts(body: Buffer, { units, salt }: Identity, { kept, erased }: PartSalts): OpenIdentity | null {
  if (salt === null) return null;
  const digests: string[] = [];
  const salts: (string | null)[] = [];
  for (const unit of units) {
    const own = Object.hasOwn(kept, unit.path) ? kept[unit.path] : undefined;
    const gone = Object.hasOwn(erased, unit.path) ? erased[unit.path] : undefined;
    if (own !== undefined && gone === undefined) {
      digests.push(unitDigest(body, unit, own));
      salts.push(own);
    } else if (own === undefined && gone !== undefined && isPlaceholder(body, unit)) {
      digests.push(gone);
      salts.push(null);
    } else return null;
  }
  // The salt stands outside of the digest: it has to be exactly what it would be written as, or a byte could change unseen.
  const found = body.toString('latin1', salt.start, salt.end);
  return found === partSaltsText(units, digests, salts) ? { units, salt, digests, salts } : null;
}

/** The member's value as it is written, in the order of the units. */
export function partSaltsText(
  units: readonly IdentityUnit[],
  digests: readonly string[],
  salts: readonly (string | null)[],
): string {
  const kept: [string, string][] = [];
  const erased: [string, string][] = [];
  for (const [place, { path }] of units.entries()) {
    const salt = salts[place] ?? null;
    if (salt === null) erased.push([path, digests[place] ?? '']);
    else kept.push([path, salt]);
  }
  // As latin1 of its bytes, since that is how it is compared.
  const text = JSON.stringify({ kept: Object.fromEntries(kept), erased: Object.fromEntries(erased) });
  return Buffer.from(text).toString('latin1');
}

/** What stands in the place of an erased unit: what was sent becomes empty, single values say that they are gone. */
export const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  tags_sent: [],
  tag_conflicts: [],
  tags_overflow: {},
  // Still what is read there: no usage object of any provider, and the statement of an adjustment.
  usage_raw: JSON.stringify({ idempotency_key: ERASED, actor: ERASED, reason: ERASED }),
};

export function placeholderOf(path: string): string {
  return JSON.stringify(Object.hasOwn(PLACEHOLDERS, path) ? PLACEHOLDERS[path] : ERASED);
}

export function isPlaceholder(body: Buffer, { path, start, end }: IdentityUnit): boolean {
  return body.toString('latin1', start, end) === placeholderOf(path);
}

/** The salts of an entry's values from its own, each of 128 bits; none says anything about another. One call for all: it is asked most. */
function unitSalts(entrySalt: string, count: number): string[] {
  if (count === 0) return [];
  const text = hash('shake128', entrySalt, { outputEncoding: 'hex', outputLength: count * UNIT_SALT_BYTES });
  return Array.from({ length: count }, (_, place) =>
    text.slice(place * UNIT_SALT_CHARS, (place + 1) * UNIT_SALT_CHARS),
  );
}

/** Read as latin1, so that every byte counts: UTF-8 would read all broken bytes as the same sign. */
function unitDigest(body: Buffer, { start, end }: IdentityUnit, salt: string): string {
  return hash('sha256', `${salt}\n${body.toString('latin1', start, end)}`, 'base64url');
}

function parseSalt(text: string): string | PartSalts | null {
  // Of nearly every entry: nothing in it can be escaped.
  const whole = text.slice(1, -1);
  if (SALT_TEXT.test(whole) && text === `"${whole}"`) return whole;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'latin1').toString());
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null || !('kept' in json) || !('erased' in json)) return null;
  const kept = textsIn(json.kept, UNIT_SALT_TEXT);
  const erased = textsIn(json.erased, DIGEST_TEXT);
  return kept === null || erased === null ? null : { kept, erased };
}

function textsIn(json: unknown, form: RegExp): Readonly<Record<string, string>> | null {
  if (typeof json !== 'object' || json === null) return null;
  const texts: [string, string][] = [];
  for (const [path, text] of Object.entries(json)) {
    if (typeof text !== 'string' || !form.test(text)) return null;
    texts.push([path, text]);
  }
  return Object.fromEntries(texts);
}
