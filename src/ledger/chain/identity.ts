import { scanJsonObject, jsonValueEnd, type JsonMember } from '#std';

/**
 * The identifying values of an entry or intent: whatever names a person, a customer, a session. Each is a unit of its own, hashed
 * with a salt of its own, and can be erased without the others. Money, tokens, models, ids of keys and calls are none.
 */
export type IdentityUnit = {
  /** The member's name, and behind a dot the tag's key or the place in the list: `entity_id`, `tags.team`, `labels.0`. */
  readonly path: string;
  /** Where its JSON value stands in the bytes. */
  readonly start: number;
  readonly end: number;
};

/** Values that are one unit. What the caller sent (`tags_sent`) may repeat any other value in any spelling, so it goes whole. */
const WHOLE: ReadonlySet<string> = new Set([
  'key_name',
  'key_owner',
  'entity_id',
  'session_id',
  'session_path',
  'trace_id',
  'tag_conflicts',
  'tags_overflow',
  'tags_sent',
  // What somebody wrote as the reason of an adjustment stands here.
  'usage_raw',
]);

const BY_KEY: ReadonlySet<string> = new Set(['tags']);

const BY_PLACE: ReadonlySet<string> = new Set(['labels', 'paths']);

/** `""`, `[]` and `{}` identify nobody. */
const EMPTY_BYTES = 2;

export type Identity = {
  /** In the order they stand. */
  readonly units: readonly IdentityUnit[];
  /** The value of the member `salt`; null where there is none, or more than one. */
  readonly salt: { readonly start: number; readonly end: number } | null;
};

/** Null when the bytes are no JSON object. @param known paths of units that count although they are empty */
export function identityOf(body: Buffer, known: ReadonlySet<string> = NONE): Identity | null {
  const scan = scanJsonObject(body);
  if (!scan.ok) return null;
  const units: IdentityUnit[] = [];
  const salts: JsonMember[] = [];
  for (const member of scan.members) {
    if (member.key === 'salt') salts.push(member);
    else if (WHOLE.has(member.key)) offer(units, known, unitOf(member.key, member.valueStart, member.end));
    else if (BY_KEY.has(member.key)) addMembers({ body, units, known }, member);
    else if (BY_PLACE.has(member.key)) addItems({ body, units, known }, member);
  }
  const [salt] = salts;
  if (salt === undefined || salts.length > 1) return { units, salt: null };
  return { units, salt: { start: salt.valueStart, end: salt.end } };
}

const NONE: ReadonlySet<string> = new Set();

type Search = {
  readonly body: Buffer;
  readonly units: IdentityUnit[];
  readonly known: ReadonlySet<string>;
};

function unitOf(path: string, start: number, end: number): IdentityUnit {
  return { path, start, end };
}

function offer(units: IdentityUnit[], known: ReadonlySet<string>, unit: IdentityUnit): void {
  if (unit.end - unit.start > EMPTY_BYTES || known.has(unit.path)) units.push(unit);
}

function addMembers({ body, units, known }: Search, { key, valueStart, end }: JsonMember): void {
  const scan = scanJsonObject(body.subarray(valueStart, end));
  // What is no object is one unit: tampering is to be found, not to be understood.
  if (!scan.ok) return offer(units, known, unitOf(key, valueStart, end));
  for (const tag of scan.members) {
    offer(units, known, unitOf(`${key}.${tag.key}`, valueStart + tag.valueStart, valueStart + tag.end));
  }
}

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

function addItems({ body, units, known }: Search, { key, valueStart, end }: JsonMember): void {
  const items = itemsOf(body, valueStart, end);
  if (items === null) return offer(units, known, unitOf(key, valueStart, end));
  for (const [place, item] of items.entries()) offer(units, known, unitOf(`${key}.${place}`, item.start, item.end));
}

/** The items of an array as `JSON.stringify` writes it; null for anything else. */
function itemsOf(body: Buffer, start: number, end: number): { start: number; end: number }[] | null {
  if (body[start] !== OPEN_ARRAY) return null;
  if (end - start === EMPTY_BYTES) return [];
  const items: { start: number; end: number }[] = [];
  for (let at = start + 1; at < end; at += 1) {
    const itemEnd = jsonValueEnd(body, at);
    if (itemEnd < 0 || itemEnd >= end) return null;
    items.push({ start: at, end: itemEnd });
    at = itemEnd;
    if (body[at] === CLOSE_ARRAY && at === end - 1) return items;
    if (body[at] !== COMMA) return null;
  }
  return null;
}
