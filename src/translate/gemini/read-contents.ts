import { asFields, asList, only, text, textNeeded, type Fields } from '../fields.ts';
import type { MediaPart, Part, Signature, TextPart, ToolCallPart, ToolResultPart, Turn } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readSignature } from '../signature.ts';
import { camel } from './names.ts';

const CONTENT_FIELDS: ReadonlySet<string> = new Set(['role', 'parts']);

export function readInstruction(value: unknown): readonly TextPart[] {
  if (value === undefined || value === null) return [];
  const content = asFields(value, 'systemInstruction');
  only(content, CONTENT_FIELDS, 'systemInstruction');
  return readParts(content['parts'], 'systemInstruction.parts', new Calls()).map((part) => {
    if (part.kind === 'text') return part;
    throw unsayable(part.at, 'instructions are text');
  });
}

export function readContents(value: unknown): readonly Turn[] {
  const turns: { role: Turn['role']; parts: Part[] }[] = [];
  const calls = new Calls();
  for (const [index, item] of asList(value, 'contents').entries()) {
    const at = `contents[${index}]`;
    const content = asFields(item, at);
    only(content, CONTENT_FIELDS, at);
    const given = text(content, 'role', at) ?? 'user';
    if (given !== 'user' && given !== 'model' && given !== 'function') throw malformed(`${at}.role`, 'user or model');
    const role = given === 'model' ? 'assistant' : 'user';
    const parts = readParts(content['parts'], `${at}.parts`, calls);
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else turns.push({ role, parts: [...parts] });
  }
  return turns.map(({ role, parts }) => ({ role, parts: joinThoughts(parts) }));
}

/** Streams show a thought in pieces, and what proves it at the end: it is proof of the whole. */
function joinThoughts(parts: readonly Part[]): readonly Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const continues =
      part.kind === 'reasoning' && !part.opaque && last?.kind === 'reasoning' && last.signature === null;
    if (continues) joined[joined.length - 1] = { ...part, text: last.text + part.text, at: last.at };
    else joined.push(part);
  }
  return joined;
}

/** Google pairs calls and results by name and order where they have no ids; everybody else needs one. */
class Calls {
  readonly #open: { readonly id: string; readonly name: string }[] = [];
  #made = 0;

  begin(name: string, id: string | null): string {
    this.#made += 1;
    const known = id ?? `call_${this.#made}`;
    this.#open.push({ id: known, name });
    return known;
  }

  end(name: string, id: string | null): string | null {
    const at = this.#open.findIndex((call) => (id === null ? call.name === name : call.id === id));
    const [found] = at === -1 ? [] : this.#open.splice(at, 1);
    return found?.id ?? null;
  }
}

function readParts(value: unknown, at: string, calls: Calls): readonly Part[] {
  return asList(value ?? [], at).map((part, index) => {
    const place = `${at}[${index}]`;
    return readPart(camel(asFields(part, place)), { at: place, calls });
  });
}

const PART_FIELDS: ReadonlySet<string> = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
]);

type Around = { readonly at: string; readonly calls: Calls };

function readPart(part: Fields, { at, calls }: Around): Part {
  only(part, PART_FIELDS, at);
  const sign = text(part, 'thoughtSignature', at);
  const signature = sign === null || sign === '' ? null : sign;
  if (part['functionCall'] !== undefined) return readCall(part['functionCall'], { at, calls, signature });
  if (part['functionResponse'] !== undefined) return readResponse(part['functionResponse'], { at, calls });
  if (part['inlineData'] !== undefined) return readInline(camel(asFields(part['inlineData'], at)), at);
  if (part['fileData'] !== undefined) return readFile(camel(asFields(part['fileData'], at)), at);
  const said = text(part, 'text', at) ?? '';
  if (part['thought'] !== true && (signature === null || said !== ''))
    return { kind: 'text', text: said, at, cache: null };
  const opaque = signature?.startsWith(OPAQUE) === true;
  return { kind: 'reasoning', text: said, signature: signatureOf(signature), opaque, at, cache: null };
}

/** Before the signature of thoughts that nobody can read. */
export const OPAQUE = 'redacted.';

function signatureOf(shown: string | null): Signature | null {
  if (shown === null) return null;
  return readSignature(shown.startsWith(OPAQUE) ? shown.slice(OPAQUE.length) : shown, 'gemini');
}

const CALL_FIELDS: ReadonlySet<string> = new Set(['id', 'name', 'args']);

function readCall(
  value: unknown,
  { at, calls, signature }: Around & { readonly signature: string | null },
): ToolCallPart {
  const place = `${at}.functionCall`;
  const call = asFields(value, place);
  only(call, CALL_FIELDS, place);
  const name = textNeeded(call, 'name', place);
  const id = calls.begin(name, text(call, 'id', place));
  const args = JSON.stringify(call['args'] ?? {});
  return { kind: 'tool_call', id, name, args, signature: signatureOf(signature), at, cache: null };
}

const RESPONSE_FIELDS: ReadonlySet<string> = new Set(['id', 'name', 'response', 'parts']);

function readResponse(value: unknown, { at, calls }: Around): ToolResultPart {
  const place = `${at}.functionResponse`;
  const given = camel(asFields(value, place));
  only(given, RESPONSE_FIELDS, place);
  const name = textNeeded(given, 'name', place);
  const id = calls.end(name, text(given, 'id', place));
  if (id === null) throw unsayable(place, `no content before it calls ${name}`);
  const response = asFields(given['response'] ?? {}, `${place}.response`);
  const media = readParts(given['parts'], `${place}.parts`, calls).filter((part) => part.kind === 'media');
  const failed = typeof response['error'] === 'string' && Object.keys(response).length === 1;
  const said: TextPart = { kind: 'text', text: resultText(response), at: place, cache: null };
  return { kind: 'tool_result', id, name, content: [said, ...media], failed, at, cache: null };
}

/** A text alone under the name that Google has for it is the text; everything else is JSON. */
function resultText(response: Fields): string {
  const entries = Object.entries(response);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'output' || first[0] === 'error'))
    if (typeof first[1] === 'string') return first[1];
  return JSON.stringify(response);
}

const INLINE_FIELDS: ReadonlySet<string> = new Set(['mimeType', 'data', 'displayName']);

function readInline(data: Fields, at: string): MediaPart {
  const place = `${at}.inlineData`;
  only(data, INLINE_FIELDS, place);
  const type = textNeeded(data, 'mimeType', place);
  const base64 = textNeeded(data, 'data', place);
  const source = type.startsWith('text/')
    ? ({ from: 'text', text: Buffer.from(base64, 'base64').toString('utf8') } as const)
    : ({ from: 'data', base64 } as const);
  const name = text(data, 'displayName', place) ?? '';
  return { kind: 'media', medium: mediumOf(type), type, source, name, at, cache: null };
}

const FILE_FIELDS: ReadonlySet<string> = new Set(['mimeType', 'fileUri', 'displayName']);

/** Files that were uploaded to Google, or lie in its storage, nobody else can read. */
const GOOGLES_OWN = /^(?:gs:|https:\/\/generativelanguage\.googleapis\.com\/)/;

function readFile(file: Fields, at: string): MediaPart {
  const place = `${at}.fileData`;
  only(file, FILE_FIELDS, place);
  const url = textNeeded(file, 'fileUri', place);
  if (GOOGLES_OWN.test(url)) throw unsayable(`${place}.fileUri`, 'the file is with Google', 'Send it in inlineData.');
  const type = text(file, 'mimeType', place) ?? '';
  const name = text(file, 'displayName', place) ?? '';
  return { kind: 'media', medium: mediumOf(type), type, source: { from: 'url', url }, name, at, cache: null };
}

function mediumOf(type: string): MediaPart['medium'] {
  const [kind] = type.split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}
