import { ApportionError } from '#terms';
import { DeclarationDraft, type TagDeclaration } from './declaration.ts';
import { membersOf, parseText, WrittenNumber, type TextMember } from './json-text.ts';

/** Top-level request fields that are ours and never reach a provider. `metadata` is shared: see `MetadataForward`. */
export const TAG_BODY_FIELDS = [
  'entity_type',
  'entity_id',
  'session_id',
  'tags',
  'request_tags',
  'litellm_metadata',
  'litellm_session_id',
] as const;

/** Fields of ours inside `metadata`, which otherwise belongs to the provider. */
const OUR_METADATA: ReadonlySet<string> = new Set([
  'tags',
  'session_id',
  'litellm_session_id',
  'spend_logs_metadata',
  'entity_type',
  'entity_id',
]);

/** What the provider gets as `metadata`: the client's own bytes, nothing, or what is left (`json`) without our fields. */
export type MetadataForward =
  | { readonly action: 'keep' }
  | { readonly action: 'drop' }
  | { readonly action: 'replace'; readonly json: string };

export type BodyTags = { readonly declaration: TagDeclaration; readonly forwardMetadata: MetadataForward };

const KEEP: MetadataForward = { action: 'keep' };

/** @param fields the JSON text of each field of `TAG_BODY_FIELDS` and of `metadata` that the request has, by name */
export function readBodyTags(fields: Readonly<Record<string, string>>): BodyTags {
  const draft = new DeclarationDraft();
  readAttribution(draft, { entries: fields, prefix: '' });
  if (fields['tags'] !== undefined) readTags(draft, fields['tags'], 'tags');
  if (fields['request_tags'] !== undefined) readTags(draft, fields['request_tags'], 'request_tags');
  const metadata = membersOf(fields['metadata'] ?? '', 'metadata');
  if (metadata !== null) readContainer(draft, metadata, 'metadata');
  readLitellmMetadata(draft, fields['litellm_metadata']);
  return { declaration: draft.finish(), forwardMetadata: metadata === null ? KEEP : forwardOf(metadata) };
}

function readLitellmMetadata(draft: DeclarationDraft, text: string | undefined): void {
  if (text === undefined || text === 'null') return;
  const members = membersOf(text, 'litellm_metadata');
  if (members === null) {
    throw new ApportionError('invalid_field', 'litellm_metadata must be an object.', { param: 'litellm_metadata' });
  }
  readContainer(draft, members, 'litellm_metadata');
}

function readContainer(draft: DeclarationDraft, members: readonly TextMember[], at: string): void {
  const entries: Record<string, string> = {};
  for (const { key, value } of members) if (OUR_METADATA.has(key)) entries[key] = value;
  readAttribution(draft, { entries, prefix: `${at}.` });
  for (const { key, value } of members) {
    if (key === 'tags') readTags(draft, value, `${at}.tags`);
    if (key === 'spend_logs_metadata') readSpendLogsMetadata(draft, value, `${at}.spend_logs_metadata`);
  }
}

function forwardOf(metadata: readonly TextMember[]): MetadataForward {
  const theirs = metadata.filter(({ key }) => !OUR_METADATA.has(key));
  if (theirs.length === metadata.length) return KEEP;
  if (theirs.length === 0) return { action: 'drop' };
  return { action: 'replace', json: `{${theirs.map(({ text }) => text).join(',')}}` };
}

type AttributionFields = { readonly entries: Readonly<Record<string, string>>; readonly prefix: string };

/** Entity pair and session id, wherever a dialect puts them. */
function readAttribution(draft: DeclarationDraft, { entries, prefix }: AttributionFields): void {
  const at = { type: `${prefix}entity_type`, id: `${prefix}entity_id` };
  const type = readId(entries['entity_type'], { at: at.type, code: 'invalid_entity' });
  const id = readId(entries['entity_id'], { at: at.id, code: 'invalid_entity' });
  if (type !== null && id !== null) draft.addEntity({ type, id }, at);
  else if (type !== null || id !== null) {
    const [given, missing] = type === null ? [at.id, at.type] : [at.type, at.id];
    throw new ApportionError('invalid_entity', `${given} came without ${missing}.`, {
      param: missing,
      hint: 'Send both, or neither.',
    });
  }
  for (const name of ['session_id', 'litellm_session_id']) {
    const session = readId(entries[name], { at: `${prefix}${name}`, code: 'invalid_field' });
    if (session !== null) draft.addSession(session, `${prefix}${name}`);
  }
}

/** A string or a number as written; null when absent or `null`. */
function readId(
  text: string | undefined,
  field: { at: string; code: 'invalid_entity' | 'invalid_field' },
): string | null {
  if (text === undefined) return null;
  const value = parseText(text, field.at);
  if (value === null) return null;
  if (value instanceof WrittenNumber) return value.text;
  if (typeof value !== 'string') {
    throw new ApportionError(field.code, `${field.at} must be a string.`, { param: field.at });
  }
  if (field.code === 'invalid_field') return value;
  const id = value.trim();
  if (id === '') {
    throw new ApportionError('invalid_entity', `${field.at} is empty.`, {
      param: field.at,
      hint: 'Send a stable id such as "anonymous" where there is none, or leave both entity fields out.',
    });
  }
  return id;
}

/** `tags` is an object (InfraPrism), an array of strings (LiteLLM, FastRouter, NemoRouter) or one comma-separated string. */
export function readTags(draft: DeclarationDraft, text: string, at: string): void {
  const members = membersOf(text, at);
  if (members !== null) {
    for (const { key, value } of members) readMember(draft, { key, value }, at);
    return;
  }
  const value = parseText(text, at);
  if (value === null) return;
  if (typeof value === 'string') {
    for (const tag of value.split(',')) draft.addTag(tag, at);
  } else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => readItem(draft, item, `${at}[${index}]`));
  } else {
    throw wrongType(at, 'Send an object of strings, an array of strings, or one string.');
  }
}

function readMember(
  draft: DeclarationDraft,
  { key, value: text }: Pick<TextMember, 'key' | 'value'>,
  at: string,
): void {
  const path = `${at}.${key}`;
  const value = scalarText(parseText(text, path));
  if (value === undefined) throw wrongType(path, 'A tag value is a string, a number or a boolean.');
  if (value === null) warnAbsent(draft, { key, path }, at);
  else draft.addDimension(key, value, path);
}

function readItem(draft: DeclarationDraft, item: unknown, at: string): void {
  const text = scalarText(item);
  if (text === undefined)
    throw wrongType(at, 'A tag in a list is a string such as "team:growth", "US/California" or "beta".');
  if (text === null) draft.warn(`${at} is null and was left out`);
  else draft.addTag(text, at);
}

/** LiteLLM lets anything in here; what cannot be a dimension is left out, and said so. */
function readSpendLogsMetadata(draft: DeclarationDraft, text: string, at: string): void {
  const members = membersOf(text, at);
  if (members === null) {
    if (text !== 'null') throw wrongType(at, 'Send an object.');
    return;
  }
  let leftOut = 0;
  for (const { key, value: raw } of members) {
    const value = scalarText(parseText(raw, at));
    if (value === undefined || value === null || !SIMPLE_KEY.test(key)) leftOut += 1;
    else draft.addDimension(key, value, `${at}.${key}`);
  }
  if (leftOut > 0) draft.warn(`${leftOut} fields of ${at} cannot be tags and were left out`);
}

const SIMPLE_KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** The text of a string, number or boolean; null for null; undefined for anything else. */
function scalarText(value: unknown): string | null | undefined {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'boolean') return String(value);
  return value instanceof WrittenNumber ? value.text : undefined;
}

function warnAbsent(draft: DeclarationDraft, { key, path }: { key: string; path: string }, at: string): void {
  // Keys outside the grammar may hold what no header can carry.
  draft.warn(`${SIMPLE_KEY.test(key) ? path : `a key of ${at}`} is null and was left out`);
}

function wrongType(at: string, hint: string): ApportionError {
  return new ApportionError('invalid_tag', `${at} has a type that cannot be a tag.`, { param: at, hint });
}
