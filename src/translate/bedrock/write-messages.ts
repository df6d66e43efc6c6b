import { isFields } from '../fields.ts';
import type { MediaPart, Medium, Part, ReasoningPart, ToolCallPart, ToolResultPart, Turn } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { cachePoint } from './write-cache.ts';

export function writeTurns(turns: readonly Turn[]): readonly object[] {
  const names = new Set<string>();
  return turns.flatMap(({ role, parts }) => {
    const content = parts.flatMap((part) => [...writePart(part, names), ...cachePoint(part.cache)]);
    return content.length === 0 ? [] : [{ role, content }];
  });
}

/** `names` are those of the documents so far: Bedrock wants each to have its own. */
function writePart(part: Part, names: Set<string>): readonly object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      // Bedrock refuses empty texts.
      return part.text === '' ? [] : [{ text: part.text }];
    case 'media':
      return [writeMedia(part, names)];
    case 'tool_call':
      return [writeToolUse(part)];
    case 'tool_result':
      return [writeToolResult(part, names)];
    case 'reasoning':
      return writeReasoning(part);
  }
}

/** What Bedrock calls each type (API reference, `ImageFormat`, `DocumentFormat`, `AudioFormat`, `VideoFormat`). */
const FORMATS: Readonly<Record<Medium, Readonly<Record<string, string>>>> = {
  image: { 'image/png': 'png', 'image/jpeg': 'jpeg', 'image/jpg': 'jpeg', 'image/gif': 'gif', 'image/webp': 'webp' },
  document: {
    'application/pdf': 'pdf',
    'text/csv': 'csv',
    'text/html': 'html',
    'text/markdown': 'md',
    'text/plain': 'txt',
    'application/msword': 'doc',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
    'application/vnd.ms-excel': 'xls',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  },
  audio: { 'audio/mp3': 'mp3', 'audio/mpeg': 'mp3', 'audio/wav': 'wav', 'audio/flac': 'flac', 'audio/ogg': 'ogg' },
  video: { 'video/mp4': 'mp4', 'video/webm': 'webm', 'video/quicktime': 'mov', 'video/mpeg': 'mpeg' },
};

function writeMedia({ medium, type, source, name, at }: MediaPart, names: Set<string>): object {
  if (source.from === 'text') {
    const bytes = Buffer.from(source.text).toString('base64');
    return { document: { format: 'txt', name: documentName(name, names), source: { bytes } } };
  }
  const format = FORMATS[medium][type.toLowerCase()];
  if (source.from === 'url')
    throw unsayable(at, 'Bedrock fetches nothing from an address', 'Send the bytes in base64.');
  if (format === undefined) throw unsayable(at, `Bedrock reads no ${medium} of type ${type}`);
  const file = { format, source: { bytes: source.base64 } };
  return { [medium]: medium === 'document' ? { name: documentName(name, names), ...file } : file };
}

/** Letters, digits, spaces, hyphens and brackets, each name once (API reference, `DocumentBlock`). */
function documentName(given: string, names: Set<string>): string {
  const plain = given
    .replace(/\.[a-z0-9]+$/i, '')
    .replaceAll(/[^a-zA-Z0-9\s\-()[\]]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME);
  const base = plain === '' ? 'document' : plain;
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base} ${number}`;
  names.add(name);
  return name;
}

const LONGEST_NAME = 150;

function writeToolUse({ id, name, args, at }: ToolCallPart): object {
  return { toolUse: { toolUseId: idOf(id), name, input: inputOf(args, at) } };
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

/** Bedrock takes these letters only, and the same id in the result. */
function idOf(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(-LONGEST_ID);
}

const LONGEST_ID = 64;

function writeToolResult({ id, content, failed }: ToolResultPart, names: Set<string>): object {
  const blocks = content.flatMap((part) => writePart(part, names));
  return {
    toolResult: {
      toolUseId: idOf(id),
      // A result that says nothing says so in a text: Bedrock wants one block.
      content: blocks.length === 0 ? [{ text: '(empty)' }] : blocks,
      ...(failed ? { status: 'error' } : {}),
    },
  };
}

/** Thoughts that no model of Bedrock's signed prove nothing to it: they are not sent. */
function writeReasoning({ text, signature, opaque }: ReasoningPart): readonly object[] {
  if (signature?.by !== 'bedrock') return [];
  const content = opaque
    ? { redactedContent: signature.value }
    : { reasoningText: { text, signature: signature.value } };
  return [{ reasoningContent: content }];
}
