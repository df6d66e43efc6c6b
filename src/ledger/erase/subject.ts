import { z } from 'zod';
import { ERASED, PLACEHOLDERS } from '../chain/entry-digest.ts';
import { textsByKey } from '../texts-by-key.ts';

/** Whose data is erased: everything recorded under one value of a dimension, one session, or the owner of keys. */
export type ErasureSubject =
  /** An entity is the dimension of its type: `customer`, `employee`, … */
  | { readonly kind: 'tag'; readonly key: string; readonly value: string }
  | { readonly kind: 'session'; readonly value: string }
  | { readonly kind: 'key_owner'; readonly value: string };

/** What an entry, an intent or a row of the store says about who it is of. */
export type IdentityFields = z.infer<typeof identitySchema>;

const text = z.string().catch('');
const texts = z.array(z.string()).catch([]);
const textByKey = textsByKey.catch({});

const ADJUSTMENT = 'adjustment';

const identitySchema = z.object({
  kind: text,
  entity_type: text,
  entity_id: text,
  session_id: text,
  session_path: text,
  trace_id: text,
  key_name: text,
  key_owner: text,
  tags: textByKey,
  labels: texts,
  paths: texts,
  tags_overflow: textByKey,
  tag_conflicts: z.array(z.object({ key: text, value: text, source: text })).catch([]),
  tags_sent: texts,
  usage_raw: text,
});

/** Never throws: what is missing or of another shape names nobody. */
export function readIdentity(json: unknown): IdentityFields {
  const parsed = identitySchema.safeParse(json);
  return parsed.success ? parsed.data : identitySchema.parse({});
}

/** Whether the entry is of the subject, also where the value lost against a stronger one, or was beyond the cap of its key. */
export function isOf(subject: ErasureSubject, fields: IdentityFields): boolean {
  const { value } = subject;
  switch (subject.kind) {
    case 'session':
      return fields.session_id === value;
    case 'key_owner':
      return fields.key_owner === value;
    case 'tag': {
      const { key } = subject;
      return (
        (fields.entity_type === key && fields.entity_id === value) ||
        valueAt(fields.tags, key) === value ||
        valueAt(fields.tags_overflow, key) === value ||
        fields.tag_conflicts.some((conflict) => conflict.key === key && conflict.value === value)
      );
    }
  }
}

function valueAt(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

const SINGLE = ['key_name', 'key_owner', 'entity_id', 'session_id', 'session_path', 'trace_id'] as const;

/** All three name the session, whatever they say. */
const OF_SESSION: ReadonlySet<string> = new Set(['session_id', 'session_path', 'trace_id']);

/**
 * Which values of an entry go, as the paths of `chain/identity.ts`; empty when it is not of the subject. In an entry that is, the value goes
 * wherever it stands as a word (`ann` in `team/ann`, not in `anna`), in upper or lower case; what the caller sent goes whole, since it may
 * say the value in another spelling.
 */
export function erasedPaths(subject: ErasureSubject, fields: IdentityFields): ReadonlySet<string> {
  const paths = new Set<string>();
  if (!isOf(subject, fields)) return paths;
  const names = holder(subject);
  const offer = (path: string, value: string): void => {
    if (value !== '' && names(value)) paths.add(path);
  };
  for (const name of SINGLE) offer(name, fields[name]);
  for (const [key, value] of Object.entries(fields.tags)) offer(`tags.${key}`, value);
  for (const [place, label] of fields.labels.entries()) offer(`labels.${place}`, label);
  for (const [place, path] of fields.paths.entries()) offer(`paths.${place}`, path);
  if (Object.values(fields.tags_overflow).some(names)) paths.add('tags_overflow');
  if (fields.tag_conflicts.some(({ value }) => names(value))) paths.add('tag_conflicts');
  if (fields.tags_sent.length > 0) paths.add('tags_sent');
  // Of a call it is the provider's usage object, which names nobody; of an adjustment the words of whoever made it.
  if (fields.kind === ADJUSTMENT) offer('usage_raw', fields.usage_raw);
  if (subject.kind === 'session') {
    for (const name of SINGLE)
      if (OF_SESSION.has(name) && fields[name] !== '' && fields[name] !== ERASED) paths.add(name);
  }
  return paths;
}

/** Says whether a text holds the subject's value as a word. */
export function holder(subject: ErasureSubject): (text: string) => boolean {
  const word = wordOf(subject, 'iu');
  return (found) => word.test(found);
}

/** Puts `(erased)` in the place of the subject's value, wherever a text holds it as a word. */
export function remover(subject: ErasureSubject): (text: string) => string {
  const word = wordOf(subject, 'giu');
  return (found) => found.replace(word, ERASED);
}

function wordOf({ value }: ErasureSubject, flags: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])${value.replaceAll(SPECIAL, '\\$&')}(?![\\p{L}\\p{N}])`, flags);
}

const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/** The fields without the values at these paths, as a rebuild of the store from the erased journal would have them. */
export function withoutPaths(fields: IdentityFields, paths: ReadonlySet<string>): IdentityFields {
  const one = (path: string, value: string): string => (paths.has(path) ? ERASED : value);
  return {
    ...fields,
    ...Object.fromEntries(SINGLE.map((name) => [name, one(name, fields[name])])),
    tags: Object.fromEntries(Object.entries(fields.tags).map(([key, value]) => [key, one(`tags.${key}`, value)])),
    labels: fields.labels.map((label, place) => one(`labels.${place}`, label)),
    paths: fields.paths.map((path, place) => one(`paths.${place}`, path)),
    ...Object.fromEntries(Object.entries(PLACEHOLDERS).filter(([path]) => paths.has(path))),
  };
}
