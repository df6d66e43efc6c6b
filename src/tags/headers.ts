import { ApportionError } from '#terms';
import { readBaggage } from './baggage.ts';
import { DeclarationDraft, NO_TAGS, type TagDeclaration } from './declaration.ts';
import { decodeHeader } from './header-text.ts';
import { eachMember, readLooseMetadata, readMember, readObject } from './json-tags.ts';
import { readEntityHeader, readTagsHeader } from './native-header.ts';
import { type TagRules } from './rules.ts';
import { readTraceparent } from './traceparent.ts';

/**
 * Headers by lower-case name, as Node hands them over: one character per byte. With `headersDistinct` a header that came
 * twice is seen as two values; with `headers` Node has joined them with a comma.
 */
export type HeaderSource = Readonly<Record<string, string | readonly string[] | undefined>>;

/** All headers are one source; inside it our own outrank vendors', and those what travels along by itself. */
type Rank = 'native' | 'vendor' | 'ambient';

type Read = (draft: DeclarationDraft, value: string, name: string) => void;

type Dialect = { readonly rank: Rank; readonly read: Read; readonly order: number };

/** The order is what decides among several sessions, traces or end users of one rank. */
const DIALECTS: readonly (readonly [string, Rank, Read])[] = [
  ['x-apportion-tags', 'native', readTagsHeader],
  ['x-apportion-entity', 'native', readEntityHeader],
  ['x-apportion-session', 'native', session],
  ['x-apportion-session-path', 'native', sessionPath],
  ['x-litellm-tags', 'vendor', commaList],
  ['x-litellm-spend-logs-metadata', 'vendor', looseMetadata],
  ['x-litellm-customer-id', 'vendor', dimension('customer')],
  ['x-litellm-end-user-id', 'vendor', endUser],
  ['x-litellm-session-id', 'vendor', session],
  ['x-litellm-agent-id', 'vendor', dimension('agent')],
  ['helicone-user-id', 'vendor', endUser],
  ['helicone-session-id', 'vendor', session],
  ['helicone-session-path', 'vendor', sessionPath],
  ['helicone-session-name', 'vendor', dimension('session_name')],
  ['x-portkey-metadata', 'vendor', portkeyMetadata],
  ['cf-aig-metadata', 'vendor', metadata],
  ['x-bf-session-id', 'vendor', session],
  ['x-tfy-metadata', 'vendor', metadata],
  ['x-aig-tag', 'vendor', oneTag],
  ['ai-reporting-user', 'vendor', endUser],
  ['ai-reporting-tags', 'vendor', commaList],
  ['x-llmgateway-user-id', 'vendor', endUser],
  // FastRouter: an explicit trace id overrides the one of traceparent.
  ['x-trace-id', 'ambient', trace],
  ['x-litellm-trace-id', 'ambient', trace],
  ['x-portkey-trace-id', 'ambient', trace],
  ['traceparent', 'ambient', readTraceparent],
  ['x-span-name', 'ambient', sessionPath],
  ['baggage', 'ambient', readBaggage],
];

const BY_NAME: ReadonlyMap<string, Dialect> = new Map(
  DIALECTS.map(([name, rank, read], order) => [name, { rank, read, order }]),
);

/** Headers whose name ends in the dimension's name. Bifrost's older spelling loses against its newer one. */
const BY_PREFIX: ReadonlyMap<string, Dialect> = new Map(
  (
    [
      ['helicone-property-', 'vendor'],
      ['x-bf-dim-', 'vendor'],
      ['x-bf-prom-', 'ambient'],
      ['x-llmgateway-', 'vendor'],
    ] as const
  ).map(([prefix, rank], index) => [prefix, { rank, read: afterPrefix(prefix), order: DIALECTS.length + index }]),
);

/** Fails at the first letters for nearly every header there is. */
const PREFIX = new RegExp(`^(?:${Array.from(BY_PREFIX.keys()).join('|')})(?=.)`);

const OPERATORS_OWN: Dialect = { rank: 'vendor', read: readMapped, order: DIALECTS.length + BY_PREFIX.size };

type Found = { readonly dialect: Dialect; readonly name: string; readonly value: string | readonly string[] };

/** Reads every dialect that puts tags into headers. Throws a 400 whose `param` is the header's name. */
export function readHeaderTags(headers: HeaderSource, rules: TagRules): TagDeclaration {
  const found = find(headers, rules);
  if (found.length === 0) return NO_TAGS;
  if (found.length > 1) found.sort((left, right) => left.dialect.order - right.dialect.order);
  const drafts: Partial<Record<Rank, DeclarationDraft>> = {};
  for (const { dialect, name, value } of found) {
    const draft = (drafts[dialect.rank] ??= new DeclarationDraft(rules));
    if (typeof value === 'string') dialect.read(draft, decodeHeader(value, name), name);
    else for (const one of value) dialect.read(draft, decodeHeader(one, name), name);
  }
  let declaration: TagDeclaration | null = null;
  for (const rank of ['ambient', 'vendor', 'native'] as const) {
    declaration = drafts[rank]?.finish(declaration) ?? declaration;
  }
  return declaration ?? NO_TAGS;
}

/** One pass over the headers of the request: most are none of ours. */
function find(headers: HeaderSource, rules: TagRules): Found[] {
  const found: Found[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string' && !Array.isArray(value)) continue;
    const dialect = BY_NAME.get(name) ?? prefixed(name);
    if (dialect !== undefined) found.push({ dialect, name, value });
    if (rules.headers.has(name)) found.push({ dialect: OPERATORS_OWN, name, value });
  }
  return found;
}

function prefixed(name: string): Dialect | undefined {
  const match = PREFIX.exec(name);
  return match === null ? undefined : BY_PREFIX.get(match[0]);
}

function afterPrefix(prefix: string): Read {
  return (draft, text, name) => draft.addDimension({ key: name.slice(prefix.length), text }, name);
}

function readMapped(draft: DeclarationDraft, text: string, name: string): void {
  const target = draft.rules.headers.get(name);
  if (target?.as === 'dimension') draft.addDimension({ key: target.key, text }, name);
  // The form LiteLLM gives to `extra_spend_tag_headers`; colons and slashes in the value mean nothing.
  else if (text.trim() !== '') draft.addLabel({ text: `${name}: ${text}`, sent: `${name}: ${text}` }, name);
}

function dimension(key: string): Read {
  return (draft, text, name) => draft.addDimension({ key, text }, name);
}

function session(draft: DeclarationDraft, text: string, name: string): void {
  draft.addSession(text, name);
}

function sessionPath(draft: DeclarationDraft, text: string, name: string): void {
  draft.addSessionPath(text, name);
}

function trace(draft: DeclarationDraft, text: string, name: string): void {
  draft.addTrace(text, name);
}

function endUser(draft: DeclarationDraft, text: string, name: string): void {
  draft.addEndUser(text, name);
}

function oneTag(draft: DeclarationDraft, text: string, name: string): void {
  draft.addTag(text, name);
}

/** LiteLLM has no escape for a comma: it splits, and trims what is between. */
function commaList(draft: DeclarationDraft, text: string, name: string): void {
  for (const tag of text.split(',')) draft.addTag(tag.trim(), name);
}

function metadata(draft: DeclarationDraft, text: string, name: string): void {
  inHeader(name, () => readObject(draft, text.trim(), name));
}

function looseMetadata(draft: DeclarationDraft, text: string, name: string): void {
  inHeader(name, () => readLooseMetadata(draft, text.trim(), name));
}

/** Portkey's reserved names, in our words. */
const PORTKEY_NAMES: ReadonlyMap<string, string> = new Map([
  ['_environment', 'env'],
  ['_organisation', 'organisation'],
  ['_prompt', 'prompt'],
]);

function portkeyMetadata(draft: DeclarationDraft, text: string, name: string): void {
  inHeader(name, () => {
    eachMember(text.trim(), name, ({ key, value }) => {
      if (key === '_user' && typeof value === 'string') draft.addEndUser(value, `${name}._user`);
      else readMember(draft, { key: PORTKEY_NAMES.get(key) ?? key, value }, name);
    });
  });
}

/** What is wrong with a header is not to be called a fault of the body. */
function inHeader(name: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ApportionError && error.code === 'body_not_json')) throw error;
    throw new ApportionError('invalid_field', `${name} is not valid JSON.`, {
      param: name,
      hint: 'For example {"team":"growth","env":"prod"}; a header sent twice is read as one text.',
      cause: error,
    });
  }
}
