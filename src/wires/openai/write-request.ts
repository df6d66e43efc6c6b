import type { JsonMember } from '#std';
import type { FormField, MultipartForm } from '../multipart.ts';
import type { RequestBody, RequestEdit } from '../wire.ts';
import { memberValue } from '../loose-json.ts';
import { isObjectOrNull, parseValue } from '../request-fields.ts';
import { chatLimit } from './request.ts';

/**
 * The body for the provider: members are copied byte for byte, ours are left out, and the model's name and the usage
 * option are put in. A stream is asked for its usage where the provider sends none otherwise.
 */
export function writeRequest(body: RequestBody, edit: RequestEdit): Buffer {
  if (body.form !== null) return writeForm({ bytes: body.bytes, form: body.form }, edit);
  const parts: Buffer[] = [];
  let sawModel = false;
  let sawOptions = false;
  for (const member of body.members.values()) {
    if (edit.drop.has(member.key)) continue;
    if (member.key === 'model' && edit.model !== '') {
      sawModel = true;
      parts.push(jsonMember('model', edit.model));
    } else if (member.key === 'stream_options' && edit.askUsage) {
      sawOptions = true;
      parts.push(jsonMember('stream_options', { ...parseObject(body, member), include_usage: true }));
    } else if (member.key === 'metadata' && edit.metadata.action !== 'keep') {
      if (edit.metadata.action === 'replace') parts.push(Buffer.from(`"metadata":${edit.metadata.json}`));
    } else if (edit.outputLimit?.names.includes(member.key) !== true) {
      parts.push(body.bytes.subarray(member.start, member.end));
    }
  }
  for (const name of edit.outputLimit?.names ?? []) parts.push(jsonMember(name, edit.outputLimit?.tokens));
  if (!sawModel && edit.model !== '') parts.unshift(jsonMember('model', edit.model));
  if (edit.askUsage && !sawOptions) parts.push(jsonMember('stream_options', { include_usage: true }));
  return joinMembers(parts);
}

/** A chat, for a server that may know one field of the two that limit its output: the other one says the same by that name. */
export function writeChatRequest(body: RequestBody, edit: RequestEdit): Buffer {
  const { limitField, outputLimit } = edit;
  const stated = limitField !== undefined && body.members.has('max_completion_tokens') ? chatLimit(body) : null;
  const tokens = outputLimit?.tokens ?? stated;
  if (limitField === undefined || tokens === null) return writeRequest(body, edit);
  const drop = new Set([...edit.drop, 'max_completion_tokens']);
  return writeRequest(body, { ...edit, drop, outputLimit: { tokens, names: [limitField] } });
}

/** For operations whose streams carry usage unasked, and know no option to ask for it. */
export function writeUnasked(body: RequestBody, edit: RequestEdit): Buffer {
  return writeRequest(body, { ...edit, askUsage: false });
}

/** The body with nothing rewritten but what is ours, and a model's name that is known by another one here. */
export function writeUntouched(body: RequestBody, edit: RequestEdit): Buffer {
  if (body.form !== null) return writeForm({ bytes: body.bytes, form: body.form }, edit);
  const names = [...body.members.keys()];
  const model = body.members.get('model');
  const renamed = model !== undefined && edit.model !== '' && memberValue(body.bytes, model) !== edit.model;
  const edited = renamed || names.some((name) => edit.drop.has(name)) || edit.metadata.action !== 'keep';
  if (!edited) return body.bytes;
  return writeUnasked(body, renamed ? edit : { ...edit, model: '' });
}

type FormBody = { readonly bytes: Buffer; readonly form: MultipartForm };

/** A form with its boundary and every field as it came, but for ours and the model's name. */
function writeForm({ bytes, form }: FormBody, edit: RequestEdit): Buffer {
  const pieces: Buffer[] = [];
  const [first] = form.parts;
  pieces.push(bytes.subarray(0, first?.start ?? form.close));
  for (const part of form.parts) pieces.push(...writePart(bytes, part, edit));
  if (!form.fields.has('model') && edit.model !== '') pieces.push(modelPart(form.boundary, edit.model));
  pieces.push(bytes.subarray(form.close));
  return Buffer.concat(pieces);
}

function writePart(bytes: Buffer, part: FormField, edit: RequestEdit): Buffer[] {
  const name = baseName(part.name);
  if (edit.drop.has(name)) return [];
  const whole = [bytes.subarray(part.start, part.end)];
  if (name === 'model' && edit.model !== '') return withValue(bytes, part, edit.model);
  if (name !== 'metadata' || edit.metadata.action === 'keep') return whole;
  // `metadata[key]` is one field a member: what is left for the provider is written once, as JSON.
  if (edit.metadata.action === 'drop' || part.name !== 'metadata') return [];
  return withValue(bytes, part, edit.metadata.json);
}

function withValue(bytes: Buffer, part: FormField, value: string): Buffer[] {
  return [bytes.subarray(part.start, part.valueStart), Buffer.from(value), bytes.subarray(part.valueEnd, part.end)];
}

/** `tags[]` and `tags[0]` are how forms write a list named `tags`. */
function baseName(name: string): string {
  const bracket = name.indexOf('[');
  return bracket === -1 ? name : name.slice(0, bracket);
}

function modelPart(boundary: string, model: string): Buffer {
  return Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n`);
}

const COMMA = Buffer.from(',');
const OPEN = Buffer.from('{');
const CLOSE = Buffer.from('}');

function joinMembers(members: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [OPEN];
  for (const [index, member] of members.entries()) {
    if (index > 0) pieces.push(COMMA);
    pieces.push(member);
  }
  pieces.push(CLOSE);
  return Buffer.concat(pieces);
}

function jsonMember(key: string, value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
}

function parseObject(body: RequestBody, member: JsonMember): Record<string, unknown> {
  const value = parseValue(body, member);
  return isObjectOrNull(value) && value !== null ? value : {};
}
