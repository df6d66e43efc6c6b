import { asFields, asList, flag, only, text, textNeeded, type Fields } from '../fields.ts';
import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, Turn } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readSignature } from '../signature.ts';
import { readDocument, readImage } from './read-media.ts';
import { readCache } from './read-tools.ts';

type Conversation = { readonly system: readonly TextPart[]; readonly turns: readonly Turn[] };

export function readSystem(value: unknown): readonly TextPart[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [{ kind: 'text', text: value, at: 'system', cache: null }];
  return asList(value, 'system').map((block, at) => readText(asFields(block, `system[${at}]`), `system[${at}]`));
}

const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['role', 'content']);

/** Neighbours of one side are one turn, as Anthropic reads them. */
export function readMessages(messages: readonly unknown[]): Conversation {
  const system: TextPart[] = [];
  const turns: { role: Turn['role']; parts: Part[] }[] = [];
  /** Which tool a call was for: results name only the call. */
  const called = new Map<string, string>();
  for (const [index, item] of messages.entries()) {
    const at = `messages[${index}]`;
    const message = asFields(item, at);
    only(message, MESSAGE_FIELDS, at);
    const { role } = message;
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      throw malformed(`${at}.role`, 'user, assistant or system');
    const parts = readContent(message['content'], { at: `${at}.content`, called });
    const last = turns.at(-1);
    if (role === 'system') system.push(...parts.map(asText));
    else if (last?.role === role) last.parts.push(...parts);
    else turns.push({ role, parts: [...parts] });
  }
  return { system, turns };
}

function asText(part: Part): TextPart {
  if (part.kind === 'text') return part;
  throw unsayable(part.at, 'instructions are text');
}

type Around = { readonly at: string; readonly called: Map<string, string> };

function readContent(content: unknown, { at, called }: Around): readonly Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content, at, cache: null }];
  return asList(content, at).map((block, index) =>
    readBlock(asFields(block, `${at}[${index}]`), { at: `${at}[${index}]`, called }),
  );
}

function readBlock(block: Fields, { at, called }: Around): Part {
  const type = text(block, 'type', at) ?? '';
  switch (type) {
    case 'text':
      return readText(block, at);
    case 'image':
      return readImage(block, at);
    case 'document':
      return readDocument(block, at);
    case 'tool_use':
      return readToolUse(block, { at, called });
    case 'tool_result':
      return readToolResult(block, { at, called });
    case 'thinking':
    case 'redacted_thinking':
      return readThinking(block, at);
    default:
      throw unsayable(at, `a block of type ${type} is not known to translation`);
  }
}

const TEXT_FIELDS: ReadonlySet<string> = new Set(['type', 'text', 'cache_control', 'citations']);

/** Citations of an earlier answer say where its text came from; the text stays. */
function readText(block: Fields, at: string): TextPart {
  only(block, TEXT_FIELDS, at);
  const cache = readCache(block['cache_control'], `${at}.cache_control`);
  return { kind: 'text', text: textNeeded(block, 'text', at), at, cache };
}

const CALL_FIELDS: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input', 'cache_control', 'caller']);

function readToolUse(block: Fields, { at, called }: Around): ToolCallPart {
  only(block, CALL_FIELDS, at);
  const id = textNeeded(block, 'id', at);
  const name = textNeeded(block, 'name', at);
  called.set(id, name);
  return {
    kind: 'tool_call',
    id,
    name,
    args: JSON.stringify(block['input'] ?? {}),
    signature: null,
    at,
    cache: readCache(block['cache_control'], `${at}.cache_control`),
  };
}

const RESULT_FIELDS: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

function readToolResult(block: Fields, { at, called }: Around): ToolResultPart {
  only(block, RESULT_FIELDS, at);
  const id = textNeeded(block, 'tool_use_id', at);
  const name = called.get(id);
  if (name === undefined) throw unsayable(`${at}.tool_use_id`, `no message before it calls a tool with the id ${id}`);
  const content = block['content'] ?? [];
  return {
    kind: 'tool_result',
    id,
    name,
    content: readContent(content, { at: `${at}.content`, called }).map(asResult),
    failed: flag(block, 'is_error', at) ?? false,
    at,
    cache: readCache(block['cache_control'], `${at}.cache_control`),
  };
}

function asResult(part: Part): TextPart | MediaPart {
  if (part.kind === 'text' || part.kind === 'media') return part;
  throw unsayable(part.at, 'a tool gives back texts, images and documents');
}

function readThinking(block: Fields, at: string): ReasoningPart {
  const opaque = block['type'] === 'redacted_thinking';
  const sign = text(block, opaque ? 'data' : 'signature', at) ?? '';
  return {
    kind: 'reasoning',
    text: opaque ? '' : (text(block, 'thinking', at) ?? ''),
    signature: sign === '' ? null : readSignature(sign, 'anthropic'),
    opaque,
    at,
    cache: null,
  };
}
