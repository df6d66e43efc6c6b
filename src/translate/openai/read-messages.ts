import { asFields, asList, only, text, textNeeded, type Fields } from '../fields.ts';
import type {
  MediaPart,
  Part,
  RefusalPart,
  Signature,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readSignature } from '../signature.ts';
import { readCache } from './read-tools.ts';
import { readContentPart } from './read-parts.ts';

export type Conversation = { readonly system: readonly TextPart[]; readonly turns: readonly Turn[] };

const FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content', 'name', 'cache_control']),
  developer: new Set(['role', 'content', 'name', 'cache_control']),
  user: new Set(['role', 'content', 'name', 'cache_control']),
  tool: new Set(['role', 'content', 'tool_call_id', 'name', 'cache_control']),
  // What answers carry and clients send back with the rest of the message says nothing new.
  assistant: new Set([
    'role',
    'content',
    'name',
    'refusal',
    'tool_calls',
    'reasoning_content',
    'thinking_blocks',
    'reasoning',
    'annotations',
    'parsed',
    'provider_specific_fields',
    'cache_control',
  ]),
};

/** Reads messages into turns: neighbours of one side are one turn, and instructions stand before the conversation. */
export function readMessages(messages: readonly unknown[]): Conversation {
  const system: TextPart[] = [];
  const turns: { role: Turn['role']; parts: Part[] }[] = [];
  /** Which tool a call was for: results name only the call. */
  const called = new Map<string, string>();
  const add = (role: Turn['role'], parts: readonly Part[]): void => {
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) turns.push({ role, parts: [...parts] });
  };
  for (const [index, item] of messages.entries()) {
    const at = `messages[${index}]`;
    const message = asFields(item, at);
    const role = text(message, 'role', at) ?? '';
    const known = FIELDS[role];
    if (known === undefined) throw malformed(`${at}.role`, 'system, developer, user, assistant or tool');
    only(message, known, at);
    if (text(message, 'name', at) !== null && role !== 'tool')
      throw unsayable(`${at}.name`, 'only OpenAI tells speakers of one role apart');
    if (role === 'system' || role === 'developer') system.push(...readTexts(message, at));
    else if (role === 'user') add('user', readContent(message, at));
    else if (role === 'tool') add('user', [readToolResult(message, { at, called })]);
    else add('assistant', readAssistant(message, { at, called }));
  }
  return { system, turns };
}

function readContent(message: Fields, at: string): readonly (TextPart | MediaPart)[] {
  const { content } = message;
  const cache = readCache(message['cache_control'], `${at}.cache_control`);
  const place = `${at}.content`;
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content, at: place, cache }];
  const parts = asList(content, place).map((part, index) => readContentPart(part, `${place}[${index}]`));
  const last = parts.at(-1);
  return cache === null || last === undefined ? parts : [...parts.slice(0, -1), { ...last, cache }];
}

function readTexts(message: Fields, at: string): readonly TextPart[] {
  return readContent(message, at).map((part) => {
    if (part.kind === 'text') return part;
    throw unsayable(part.at, 'instructions are text');
  });
}

type Calls = { readonly at: string; readonly called: Map<string, string> };

function readToolResult(message: Fields, { at, called }: Calls): ToolResultPart {
  const id = textNeeded(message, 'tool_call_id', at);
  const name = called.get(id) ?? text(message, 'name', at);
  if (name === null) throw unsayable(`${at}.tool_call_id`, `no message before it calls a tool with the id ${id}`);
  const content = readContent(message, at);
  return { kind: 'tool_result', id, name, content, failed: false, at, cache: content.at(-1)?.cache ?? null };
}

function readAssistant(message: Fields, { at, called }: Calls): readonly Part[] {
  const parts: Part[] = [...readReasoning(message, at)];
  const { content } = message;
  if (Array.isArray(content)) {
    for (const [index, part] of content.entries()) parts.push(readAnswered(part, `${at}.content[${index}]`));
  } else if (content !== '') parts.push(...readContent(message, at));
  const refusal = text(message, 'refusal', at);
  if (refusal !== null) parts.push({ kind: 'refusal', text: refusal, at: `${at}.refusal`, cache: null });
  const calls = message['tool_calls'];
  if (calls !== undefined && calls !== null)
    for (const [index, call] of asList(calls, `${at}.tool_calls`).entries())
      parts.push(readToolCall(call, { at: `${at}.tool_calls[${index}]`, called }));
  return parts;
}

function readAnswered(part: unknown, at: string): TextPart | MediaPart | RefusalPart {
  const given = asFields(part, at);
  if (given['type'] !== 'refusal') return readContentPart(part, at);
  return { kind: 'refusal', text: text(given, 'refusal', at) ?? '', at, cache: null };
}

/** LiteLLM's field for Anthropic's blocks; what is only told in `reasoning_content` proves nothing and is not sent on. */
function readReasoning(message: Fields, at: string): readonly Part[] {
  const blocks = message['thinking_blocks'];
  if (blocks === undefined || blocks === null) return [];
  return asList(blocks, `${at}.thinking_blocks`).map((block, index) => {
    const place = `${at}.thinking_blocks[${index}]`;
    const given = asFields(block, place);
    const opaque = given['type'] === 'redacted_thinking';
    const sign = text(given, opaque ? 'data' : 'signature', place);
    return {
      kind: 'reasoning',
      text: text(given, 'thinking', place) ?? '',
      signature: sign === null || sign === '' ? null : readSignature(sign, 'anthropic'),
      opaque,
      at: place,
      cache: null,
    };
  });
}

function readToolCall(value: unknown, { at, called }: Calls): ToolCallPart {
  const call = asFields(value, at);
  if (call['type'] !== undefined && call['type'] !== 'function')
    throw unsayable(at, 'only functions are tools everywhere');
  const given = asFields(call['function'], `${at}.function`);
  const id = textNeeded(call, 'id', at);
  const name = textNeeded(given, 'name', `${at}.function`);
  called.set(id, name);
  return {
    kind: 'tool_call',
    id,
    name,
    args: text(given, 'arguments', `${at}.function`) ?? '',
    signature: readThought(call),
    at,
    cache: null,
  };
}

/** Gemini's thought signature, where Google's OpenAI-compatible endpoint and LiteLLM put it. */
function readThought(call: Fields): Signature | null {
  const google = inside(inside(call['extra_content'])['google'])['thought_signature'];
  const litellm = inside(call['provider_specific_fields'])['thought_signature'];
  const value = google ?? litellm;
  return typeof value === 'string' && value !== '' ? { by: 'gemini', value } : null;
}

function inside(value: unknown): Fields {
  return value === undefined || value === null ? {} : asFields(value, 'tool_calls');
}
