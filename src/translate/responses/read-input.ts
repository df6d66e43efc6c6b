import { asFields, asList, only, text, textNeeded, type Fields } from '../fields.ts';
import type {
  MediaPart,
  Part,
  ReasoningPart,
  RefusalPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readSeal } from './seal.ts';
import { readContentPart } from './read-parts.ts';

export type Conversation = { readonly system: readonly TextPart[]; readonly turns: readonly Turn[] };

const MESSAGE: ReadonlySet<string> = new Set(['type', 'role', 'content', 'id', 'status', 'phase']);
const CALL: ReadonlySet<string> = new Set(['type', 'call_id', 'name', 'arguments', 'id', 'status', 'caller']);
const RESULT: ReadonlySet<string> = new Set(['type', 'call_id', 'output', 'id', 'status', 'caller']);
const REASONING: ReadonlySet<string> = new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']);

/** Reads input into turns: neighbouring items of one side are one turn, and instructions stand before the conversation. */
export function readInput(input: unknown): Conversation {
  if (typeof input === 'string')
    return { system: [], turns: [{ role: 'user', parts: [{ kind: 'text', text: input, at: 'input', cache: null }] }] };
  const system: TextPart[] = [];
  const turns: { role: Turn['role']; parts: Part[] }[] = [];
  /** Which tool a call was for: results name only the call. */
  const called = new Map<string, string>();
  const add = (role: Turn['role'], parts: readonly Part[]): void => {
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) turns.push({ role, parts: [...parts] });
  };
  for (const [index, value] of asList(input, 'input').entries()) {
    const at = `input[${index}]`;
    const item = asFields(value, at);
    switch (item['type'] ?? 'message') {
      case 'message': {
        const role = text(item, 'role', at);
        only(item, MESSAGE, at);
        if (role === 'system' || role === 'developer') system.push(...readTexts(item, at));
        else if (role === 'user') add('user', readSaid(item, at));
        else if (role === 'assistant') add('assistant', readAnswered(item, at));
        else throw malformed(`${at}.role`, 'system, developer, user or assistant');
        break;
      }
      case 'function_call':
        add('assistant', [readCall(item, { at, called })]);
        break;
      case 'function_call_output':
        add('user', [readResult(item, { at, called })]);
        break;
      case 'reasoning':
        add('assistant', [readReasoning(item, at)]);
        break;
      case 'item_reference':
        throw unsayable(at, 'what it names is kept by OpenAI', 'Send the item itself.');
      default:
        throw unsayable(at, `items of type ${String(item['type'])} are OpenAI's own`);
    }
  }
  return { system, turns };
}

function readSaid(message: Fields, at: string): readonly (TextPart | MediaPart)[] {
  return readContent(message['content'], `${at}.content`);
}

function readContent(content: unknown, at: string): readonly (TextPart | MediaPart)[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content, at, cache: null }];
  return asList(content, at).map((part, index) => readContentPart(part, `${at}[${index}]`));
}

function readTexts(message: Fields, at: string): readonly TextPart[] {
  return readSaid(message, at).map((part) => {
    if (part.kind === 'text') return part;
    throw unsayable(part.at, 'instructions are text');
  });
}

function readAnswered(message: Fields, at: string): readonly (TextPart | MediaPart | RefusalPart)[] {
  const { content } = message;
  if (!Array.isArray(content)) return readSaid(message, at);
  return content.map((part, index) => {
    const place = `${at}.content[${index}]`;
    const given = asFields(part, place);
    if (given['type'] !== 'refusal') return readContentPart(part, place);
    return { kind: 'refusal', text: text(given, 'refusal', place) ?? '', at: place, cache: null };
  });
}

type Calls = { readonly at: string; readonly called: Map<string, string> };

function readCall(item: Fields, { at, called }: Calls): ToolCallPart {
  only(item, CALL, at);
  const id = textNeeded(item, 'call_id', at);
  const name = textNeeded(item, 'name', at);
  called.set(id, name);
  return { kind: 'tool_call', id, name, args: text(item, 'arguments', at) ?? '', signature: null, at, cache: null };
}

function readResult(item: Fields, { at, called }: Calls): ToolResultPart {
  only(item, RESULT, at);
  const id = textNeeded(item, 'call_id', at);
  const name = called.get(id);
  if (name === undefined) throw unsayable(`${at}.call_id`, `no item before it calls a tool with the id ${id}`);
  const content = readContent(item['output'], `${at}.output`);
  return { kind: 'tool_result', id, name, content, failed: false, at, cache: null };
}

function readReasoning(item: Fields, at: string): ReasoningPart {
  only(item, REASONING, at);
  const told = [...asList(item['content'] ?? [], `${at}.content`), ...asList(item['summary'] ?? [], `${at}.summary`)];
  const texts = told.map((part) => text(asFields(part, at), 'text', at) ?? '');
  const sealed = text(item, 'encrypted_content', at);
  const seal = sealed === null || sealed === '' ? null : readSeal(sealed);
  return {
    kind: 'reasoning',
    text: texts.join('\n\n'),
    signature: seal?.signature ?? null,
    opaque: seal?.opaque ?? false,
    at,
    cache: null,
  };
}
