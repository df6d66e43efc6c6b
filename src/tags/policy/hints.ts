import { ENTITY_TYPES, type TagSet } from '#terms';
import { countTags } from './check-rules.ts';
import { listNames, showKey, type Notes } from './notes.ts';
import { POLICY_LIMITS } from './tag-policy.ts';

/** Ids are what these dimensions are for. */
const FOR_IDS: ReadonlySet<string> = new Set([...ENTITY_TYPES, 'end_user', 'agent']);

const ID_KEY =
  /(?:^|[_.-])(?:request|req|trace|span|call|message|msg|event|run|session|conversation|thread|correlation|transaction)[_.-]?id$|^(?:uuid|guid|nonce)$/i;

const TIME_KEY =
  /(?:^|[_.-])(?:timestamp|datetime|unixtime|epoch)(?:_?ms)?$|(?:^|[_.-])(?:created|updated|sent|started)_?at$/i;

/** How the keys above can end, in both cases: a glance spares most keys the two patterns. */
const KEY_END: ReadonlySet<number> = new Set(Array.from('dDeEhHpPsStT', (char) => char.charCodeAt(0)));

/** UUID, ULID, or hexadecimal as long as a hash. */
const ID_VALUE =
  /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25}|(?=.*[a-f])(?=.*\d)[0-9a-f]{24,})$/i;

/** An instant of ISO 8601, or seconds or milliseconds since 1970 between 2001 and 2033. */
const TIME_VALUE = /^(?:\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*|1\d{9}|1\d{12})$/;

const FEWEST_VALUE_CHARS = 10;

type Likeness = 'id' | 'time' | null;

function keyLikeness(key: string): Likeness {
  if (!KEY_END.has(key.charCodeAt(key.length - 1))) return null;
  if (ID_KEY.test(key)) return 'id';
  return TIME_KEY.test(key) ? 'time' : null;
}

function valueLikeness(value: string): Likeness {
  if (value.length < FEWEST_VALUE_CHARS) return null;
  if (ID_VALUE.test(value)) return 'id';
  return TIME_VALUE.test(value) ? 'time' : null;
}

/** Tells what makes reports useless: a new value with every call, and more tags than anyone will look at. */
export function hint(tags: TagSet, notes: Notes): void {
  const ids: string[] = [];
  const times: string[] = [];
  for (const [key, { value, provenance }] of tags.dimensions) {
    if (provenance !== 'declared' || FOR_IDS.has(key)) continue;
    const likeness = keyLikeness(key) ?? valueLikeness(value);
    if (likeness !== null) (likeness === 'id' ? ids : times).push(showKey(key));
  }
  for (const label of tags.labels) {
    const likeness = valueLikeness(label);
    if (likeness !== null) (likeness === 'id' ? ids : times).push('a label');
  }
  if (ids.length > 0)
    notes.say(`${listNames(ids)}: looks like an id. An id per call belongs in session_id or metadata`);
  if (times.length > 0) notes.say(`${listNames(times)}: looks like a time. The entry has its own`);
  const count = countTags(tags);
  if (count > POLICY_LIMITS.hintedTags) {
    notes.say(`the call has ${count} tags. More than ${POLICY_LIMITS.hintedTags} are seldom looked at`);
  }
}
