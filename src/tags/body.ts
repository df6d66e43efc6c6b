import { ApportionError } from '#terms';
import { DeclarationDraft, type TagDeclaration } from './declaration.ts';
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

/**
 * @param fields the JSON text of each field of `TAG_BODY_FIELDS`, of `READ_ONLY_BODY_FIELDS` and of `metadata` that the
 *   request has, by name
 */
export function readBodyTags(
  fields: Readonly<Record<string, string | undefined>>,
  rules: TagRules = DEFAULT_TAG_RULES,
): BodyTags {
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

function entriesOf(members: readonly TextMember[], prefix: string): FieldsAt {
  const entries: Record<string, string> = {};
  for (const { key, value } of members) if (READ_INSIDE.has(key)) entries[key] = value;
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
  for (const { key, value } of objectOf(text, 'requesty') ?? []) {
    const at = `requesty.${key}`;
    if (key === 'tags') readTags(draft, value, at);
    else if (key === 'extra') readLooseMetadata(draft, value, at);
    else if (key === 'user_id') readEndUser(draft, { entries: { user_id: value }, prefix: 'requesty.' }, 'user_id');
    else if (key === 'trace_id') addId(value, at, (id) => draft.addTrace(id, at));
  }
}

function forwardOf(metadata: readonly TextMember[]): MetadataForward {
  const theirs = metadata.filter(({ key }) => !OUR_METADATA.has(key));
  if (theirs.length === metadata.length) return KEEP;
  if (theirs.length === 0) return { action: 'drop' };
  return { action: 'replace', json: `{${theirs.map(({ text }) => text).join(',')}}` };
}

/** Entity pair, session and trace, wherever a dialect puts them. */
function readAttribution(draft: DeclarationDraft, { entries, prefix }: FieldsAt): void {
  readEntity(draft, { entries, prefix });
  for (const name of SESSION_FIELDS) {
    const at = `${prefix}${name}`;
    addId(entries[name], at, (id) => draft.addSession(id, at));
  }
  addId(entries['session_path'], `${prefix}session_path`, (path) =>
    draft.addSessionPath(path, `${prefix}session_path`),
  );
  addId(entries['litellm_trace_id'], `${prefix}litellm_trace_id`, (id) =>
    draft.addTrace(id, `${prefix}litellm_trace_id`),
  );
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

function readEndUser(draft: DeclarationDraft, { entries, prefix }: FieldsAt, name: string): void {
  addId(entries[name], `${prefix}${name}`, (id) => draft.addEndUser(id, `${prefix}${name}`));
}

function addId(text: string | undefined, at: string, add: (id: string) => void): void {
  if (text === undefined) return;
  const id = readId(text, { at, code: 'invalid_field' });
  if (id !== null) add(id);
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
