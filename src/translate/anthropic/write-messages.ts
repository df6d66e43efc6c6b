import { isFields } from '../fields.ts';
import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, Turn } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { JSON_TOOL } from './json-tool.ts';
import { writeCache } from './write-cache.ts';

export function writeTurns(turns: readonly Turn[]): readonly object[] {
  return turns.flatMap(({ role, parts }) => {
    const blocks = parts.flatMap(writePart);
    const [first] = blocks;
    if (first === undefined) return [];
    const plain = blocks.length === 1 && Object.keys(first).length === 2 && 'text' in first;
    return [{ role, content: plain ? first.text : blocks }];
  });
}

function writePart(part: Part): object[] {
  switch (part.kind) {
    case 'text':
      // Anthropic refuses empty texts.
      return part.text === '' ? [] : [writeText(part)];
    case 'media':
      return [writeMedia(part)];
    case 'tool_call':
      return [writeToolUse(part)];
    case 'tool_result':
      return [writeToolResult(part)];
    case 'reasoning':
      return writeThinking(part);
    case 'refusal':
      return [{ type: 'text', text: part.text }];
  }
}

function writeText({ text, cache }: TextPart): object {
  return { type: 'text', text, ...writeCache(cache) };
}

function writeMedia(part: MediaPart): object {
  const { medium, source, type, name, at, cache } = part;
  if (medium === 'image') {
    if (source.from === 'text') throw unsayable(at, 'a text is no image');
    const from =
      source.from === 'url'
        ? { type: 'url', url: source.url }
        : { type: 'base64', media_type: type, data: source.base64 };
    return { type: 'image', source: from, ...writeCache(cache) };
  }
  if (medium !== 'document') throw unsayable(at, `Anthropic takes no ${medium}`);
  const title = name === '' ? {} : { title: name };
  if (source.from === 'text')
    return {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: source.text },
      ...title,
      ...writeCache(cache),
    };
  if (source.from === 'url')
    return { type: 'document', source: { type: 'url', url: source.url }, ...title, ...writeCache(cache) };
  if (type !== 'application/pdf') throw unsayable(at, `Anthropic reads PDF and plain text, not ${type}`);
  const pdf = { type: 'base64', media_type: type, data: source.base64 };
  return { type: 'document', source: pdf, ...title, ...writeCache(cache) };
}

function writeToolUse({ id, name, args, at, cache }: ToolCallPart): object {
  if (name === JSON_TOOL) throw unsayable(at, `${JSON_TOOL} is a name of the gateway's`);
  return { type: 'tool_use', id: idOf(id), name, input: inputOf(args, at), ...writeCache(cache) };
}

function inputOf(args: string, at: string): object {
  if (args === '') return {};
  let input: unknown;
  try {
    input = JSON.parse(args);
  } catch {
    throw malformed(at, 'a call whose arguments are JSON');
  }
  if (isFields(input)) return input;
  throw malformed(at, 'a call whose arguments are a JSON object');
}

/** Anthropic takes these letters only, and the same id in the result. */
function idOf(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

function writeToolResult({ id, content, failed, cache }: ToolResultPart): object {
  const blocks = content.flatMap(writePart);
  const [first] = blocks;
  const plain = blocks.length === 1 && first !== undefined && Object.keys(first).length === 2 && 'text' in first;
  return {
    type: 'tool_result',
    tool_use_id: idOf(id),
    ...(blocks.length === 0 ? {} : { content: plain ? first.text : blocks }),
    ...(failed ? { is_error: true } : {}),
    ...writeCache(cache),
  };
}

/** Thoughts that Anthropic did not sign prove nothing to it: they are not sent. */
function writeThinking({ text, signature, opaque }: ReasoningPart): object[] {
  if (signature?.by !== 'anthropic') return [];
  return opaque
    ? [{ type: 'redacted_thinking', data: signature.value }]
    : [{ type: 'thinking', thinking: text, signature: signature.value }];
}
