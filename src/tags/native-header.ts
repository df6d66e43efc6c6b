import { ApportionError } from '#terms';
import { type DeclarationDraft } from './declaration.ts';
import { decodePercent } from './header-text.ts';

/**
 * The grammar of `x-apportion-tags`:
 *
 *     tags    = member *( "," member )        spaces around members and separators say nothing
 *     member  = key ( "=" / ":" ) value       a dimension; "://" after a key is a URL, so a label
 *             / path                          US/California
 *             / value                         a label
 *     value   = quoted / bare
 *     quoted  = `"` … `"`                     \" and \\ stand for the character; commas, "/", ":" and "=" for themselves
 *     bare    = no comma, does not begin with `"`
 *
 * In every value, path and label `%XX` is a byte of UTF-8; a literal `%` before two hex digits is `%25`. A quoted member
 * without a key is a label, whatever it looks like. `x-apportion-entity` has members `type/value`.
 */
type HeaderMember = {
  /**
   * As sent, but for quotes and `%XX`: they belong to the header as escapes belong to JSON, and what they hide (an e-mail
   * address with `%40`) must be seen by whoever looks for it.
   */
  readonly text: string;
  readonly key: string | null;
  readonly value: string;
  readonly isQuoted: boolean;
};

const KEYED = /^([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:=|:(?!\/\/))[ \t]*/;

const URL_LIKE = /^[A-Za-z_][A-Za-z0-9_.-]*:\/\//;

const TYPED = /^([^/",\s]+)[ \t]*\/[ \t]*/;

export function readTagsHeader(draft: DeclarationDraft, text: string, at: string): void {
  for (const member of membersOfHeader(text, { at, keyed: KEYED })) addMember(draft, member, at);
}

function addMember(draft: DeclarationDraft, { text, key, value, isQuoted }: HeaderMember, at: string): void {
  if (key !== null) draft.addDimension({ key, text: value, sent: text }, at);
  else if (isQuoted || URL_LIKE.test(text)) draft.addLabel({ text: value, sent: text }, at);
  else draft.addValueless({ text: value, sent: text }, at);
}

/** `customer/acme, project/search`: the first is the primary entity, others set their dimensions. */
export function readEntityHeader(draft: DeclarationDraft, text: string, at: string): void {
  for (const { key, value } of membersOfHeader(text, { at, keyed: TYPED })) {
    const id = value.trim();
    if (key === null || id === '') {
      throw new ApportionError('invalid_entity', `${at}: an entity is written type/id.`, {
        param: at,
        hint: 'For example customer/acme.',
      });
    }
    draft.addEntity({ type: key, id }, { type: at, id: at });
  }
}

function membersOfHeader(text: string, form: { readonly at: string; readonly keyed: RegExp }): HeaderMember[] {
  const members: HeaderMember[] = [];
  let at = 0;
  while (at < text.length) {
    const end = memberEnd(text, at, form);
    const member = text.slice(at, end).trim();
    if (member !== '') members.push(parseMember(member, form));
    at = end + 1;
  }
  return members;
}

/** Where the comma after a member is, or the text's end. */
function memberEnd(text: string, start: number, form: { readonly at: string; readonly keyed: RegExp }): number {
  const comma = text.indexOf(',', start);
  const end = comma === -1 ? text.length : comma;
  const quote = text.indexOf('"', start);
  if (quote === -1 || quote > end) return end;
  const before = text.slice(start, quote).trimStart();
  // A quote in the middle of a bare value is a character like any other.
  if (before !== '' && form.keyed.exec(before)?.[0].length !== before.length) return end;
  const close = closingQuote(text, quote, form.at);
  const next = text.slice(close + 1).search(/[^ \t]/);
  const after = next === -1 ? text.length : close + 1 + next;
  if (after < text.length && text[after] !== ',') throw malformed(form.at, 'there is text after a closing quote');
  return after;
}

function closingQuote(text: string, open: number, at: string): number {
  for (let index = open + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"') return index;
  }
  throw malformed(at, 'a quote is not closed');
}

function parseMember(text: string, { at, keyed }: { readonly at: string; readonly keyed: RegExp }): HeaderMember {
  const match = keyed.exec(text);
  const raw = match === null ? text : text.slice(match[0].length);
  const isQuoted = raw.startsWith('"');
  const plain = isQuoted ? raw.slice(1, -1).replaceAll(/\\(.?)/gs, (_all, char: string) => unescaped(char, at)) : raw;
  const value = decodePercent(plain, at);
  const sent = value === raw ? text : `${match?.[0] ?? ''}${value}`;
  return { text: sent, key: match?.[1] ?? null, value, isQuoted };
}

function unescaped(char: string, at: string): string {
  if (char === '"' || char === '\\') return char;
  throw malformed(at, `"\\${/^[\x21-\x7e]$/.test(char) ? char : ''}" is no escape`);
}

function malformed(at: string, what: string): ApportionError {
  return new ApportionError('invalid_tag', `${at}: ${what}.`, {
    param: at,
    hint: String.raw`Write team=growth, note="with \"quotes\", commas", US/California, beta.`,
  });
}

/** Tags in the form `x-apportion-tags` reads back as the same tags. ASCII only. */
export function formatTagsHeader(tags: {
  readonly dimensions: ReadonlyMap<string, string | { readonly value: string }>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
}): string {
  const members = Array.from(tags.dimensions, ([key, dimension]) => {
    return `${key}=${formatValue(typeof dimension === 'string' ? dimension : dimension.value)}`;
  });
  for (const label of tags.labels) members.push(BARE_LABEL.test(label) ? label : quoted(label));
  for (const path of tags.paths) members.push(formatPath(path));
  return members.join(', ');
}

const BARE_VALUE = /^[A-Za-z0-9(_.~/@+*!-](?:[A-Za-z0-9_.~:/@+*!()' -]*[A-Za-z0-9_.~:/@+*!()'-])?$/;

const BARE_LABEL = /^[A-Za-z0-9(_.~@+*!-](?:[A-Za-z0-9_.~@+*!()' -]*[A-Za-z0-9_.~@+*!()'-])?$/;

function formatValue(value: string): string {
  return BARE_VALUE.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return `"${escape(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** Segments keep their slashes between them; what could be a separator inside one is escaped. */
function formatPath(path: string): string {
  return escape(path).replaceAll(/[,"=:]/g, encodeURIComponent);
}

/** Non-ASCII, control characters and `%` itself as `%XX`. */
function escape(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
