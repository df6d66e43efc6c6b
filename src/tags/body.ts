import { ApportionError } from '#terms';
import { DeclarationDraft, NO_TAGS, type TagDeclaration } from './declaration.ts';
import { readLooseMetadata, readTags } from './json-tags.ts';
import { membersOf, parseText, WrittenNumber, type TextMember } from './json-text.ts';
import { DEFAULT_TAG_RULES, type TagRules } from './rules.ts';

/** Top-level request fields that are ours and never reach a provider. `metadata` is shared: see `MetadataForward`. */
export const TAG_BODY_FIELDS = [
  'entity_type',
  'entity_id',
  'session_id',
  'session_path',
  'tags',
  'request_tags',
  'litellm_metadata',
  'litellm_session_id',
  'litellm_trace_id',
  'tensorzero::tags',
  'tensorzero::episode_id',
  'requesty',
] as const;

/** Top-level fields that are the provider's: read for attribution, and forwarded as they are. */
export const READ_ONLY_BODY_FIELDS = ['user', 'safety_identifier'] as const;

/** Fields of ours inside `metadata`, which otherwise belongs to the provider. */
const OUR_METADATA: ReadonlySet<string> = new Set([
  'tags',
  'session_id',
  'session_path',
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

const NOTHING: BodyTags = { declaration: NO_TAGS, forwardMetadata: KEEP };

/**
 * @param fields the JSON text of each field of `TAG_BODY_FIELDS`, of `READ_ONLY_BODY_FIELDS` and of `metadata` that the
 *   request has, by name
 */
export function readBodyTags(
  fields: Readonly<Record<string, string | undefined>>,
  rules: TagRules = DEFAULT_TAG_RULES,
): BodyTags {
  if (Object.keys(fields).length === 0) return NOTHING;
  const draft = new DeclarationDraft(rules);
  const top: FieldsAt = { entries: fields, prefix: '' };
  readAttribution(draft, top);
  readEndUser(draft, top, 'user');
  for (const name of TAG_LISTS) {
    const text = fields[name];
    if (text !== undefined) readTags(draft, text, name);
  }
  readRequesty(draft, fields['requesty']);
  // Before `metadata`: of several end users, LiteLLM takes the one of litellm_metadata.
  const litellm = containerOf(fields['litellm_metadata'], 'litellm_metadata');
  if (litellm !== null) readEndUser(draft, litellm, 'user');
  const metadata = membersOf(fields['metadata'] ?? '', 'metadata');
  if (metadata !== null) readContainer(draft, entriesOf(metadata, 'metadata.'));
  if (litellm !== null) readContainer(draft, litellm);
  readEndUser(draft, top, 'safety_identifier');
  return { declaration: draft.finish(), forwardMetadata: metadata === null ? KEEP : forwardOf(metadata) };
}

const TAG_LISTS = ['tags', 'request_tags', 'tensorzero::tags'] as const;

/** Fields of one object as JSON text, and where the object is. */
type FieldsAt = { readonly entries: Readonly<Record<string, string | undefined>>; readonly prefix: string };

/** What is read inside `metadata` and `litellm_metadata`; the rest of them is not looked at. */
const READ_INSIDE: ReadonlySet<string> = new Set([...OUR_METADATA, 'user_id', 'user']);

const REQUESTY: ReadonlySet<string> = new Set(['tags', 'user_id', 'trace_id', 'extra']);

function entriesOf(members: readonly TextMember[], prefix: string, names = READ_INSIDE): FieldsAt {
  const entries: Record<string, string> = {};
  for (const { key, value } of members) {
    if (!names.has(key)) continue;
    if (entries[key] !== undefined) {
      throw new ApportionError('duplicate_field', `The field ${prefix}${key} is in the request twice.`, {
        param: `${prefix}${key}`,
        hint: 'Send each field once.',
      });
    }
    entries[key] = value;
  }
  return { entries, prefix };
}

/** A field that must be an object; null when it is absent or `null`. */
function containerOf(text: string | undefined, at: string): FieldsAt | null {
  const members = objectOf(text, at);
  return members === null ? null : entriesOf(members, `${at}.`);
}

function objectOf(text: string | undefined, at: string): readonly TextMember[] | null {
  if (text === undefined || text === 'null') return null;
  const members = membersOf(text, at);
  if (members === null) throw new ApportionError('invalid_field', `${at} must be an object.`, { param: at });
  return members;
}

function readContainer(draft: DeclarationDraft, at: FieldsAt): void {
  readAttribution(draft, at);
  readEndUser(draft, at, 'user_id');
  const { entries, prefix } = at;
  if (entries['tags'] !== undefined) readTags(draft, entries['tags'], `${prefix}tags`);
  if (entries['spend_logs_metadata'] !== undefined) {
    readLooseMetadata(draft, entries['spend_logs_metadata'], `${prefix}spend_logs_metadata`);
  }
}

/** Requesty's object: `{tags, user_id, trace_id, extra}`. */
function readRequesty(draft: DeclarationDraft, text: string | undefined): void {
  const members = objectOf(text, 'requesty');
  if (members === null) return;
  const fields = entriesOf(members, 'requesty.', REQUESTY);
  const { tags, extra } = fields.entries;
  if (tags !== undefined) readTags(draft, tags, 'requesty.tags');
  if (extra !== undefined) readLooseMetadata(draft, extra, 'requesty.extra');
  readEndUser(draft, fields, 'user_id');
  readField(fields, 'trace_id', (id, at) => draft.addTrace(id, at));
}

function forwardOf(metadata: readonly TextMember[]): MetadataForward {
  const theirs = metadata.filter(({ key }) => !OUR_METADATA.has(key));
  if (theirs.length === metadata.length) return KEEP;
  if (theirs.length === 0) return { action: 'drop' };
  return { action: 'replace', json: `{${theirs.map(({ text }) => text).join(',')}}` };
}

/** Entity pair, session and trace, wherever a dialect puts them. */
function readAttribution(draft: DeclarationDraft, fields: FieldsAt): void {
  readEntity(draft, fields);
  for (const name of SESSION_FIELDS) readField(fields, name, (id, at) => draft.addSession(id, at));
  readField(fields, 'session_path', (path, at) => draft.addSessionPath(path, at));
  readField(fields, 'litellm_trace_id', (id, at) => draft.addTrace(id, at));
}

const SESSION_FIELDS = ['session_id', 'litellm_session_id', 'tensorzero::episode_id'] as const;

function readEntity(draft: DeclarationDraft, { entries, prefix }: FieldsAt): void {
  if (entries['entity_type'] === undefined && entries['entity_id'] === undefined) return;
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
}

function readEndUser(draft: DeclarationDraft, fields: FieldsAt, name: string): void {
  readField(fields, name, (id, at) => draft.addEndUser(id, at));
}

/** Calls `add` with the text of a field that is there and not null. */
function readField({ entries, prefix }: FieldsAt, name: string, add: (text: string, at: string) => void): void {
  const json = entries[name];
  if (json === undefined) return;
  const at = `${prefix}${name}`;
  const text = readId(json, { at, code: 'invalid_field' });
  if (text !== null) add(text, at);
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
