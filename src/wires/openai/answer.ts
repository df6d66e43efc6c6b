import { scanJsonObject, type JsonMember } from '#std';
import type { Usage } from '#terms';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { parseOpenAiUsage } from './usage.ts';

/** Reads a chat completion's facts. What is no JSON object (an HTML error page, a cut body) has none. */
export function readChatAnswer(bytes: Buffer, _context: AnswerContext): AnswerFacts {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const members = new Map(scan.members.map((member) => [member.key, member]));
  const usage = readUsage(bytes, members);
  return {
    id: readText(bytes, members.get('id')),
    model: readText(bytes, members.get('model')),
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? readOutputText(bytes, members.get('choices')) : '',
    outputCharsBeyond: 0,
    failed: members.has('error') && !members.has('choices'),
  };
}

function readUsage(bytes: Buffer, members: ReadonlyMap<string, JsonMember>): Usage | null {
  const member = members.get('usage');
  if (member === undefined) return null;
  const serviceTier = readText(bytes, members.get('service_tier'));
  return parseOpenAiUsage(
    bytes.toString('utf8', member.valueStart, member.end),
    serviceTier === '' ? {} : { serviceTier },
  );
}

function readText(bytes: Buffer, member: JsonMember | undefined): string {
  if (member === undefined) return '';
  const value = parseQuietly(bytes.toString('utf8', member.valueStart, member.end));
  return typeof value === 'string' ? value : '';
}

function readOutputText(bytes: Buffer, member: JsonMember | undefined): string {
  if (member === undefined) return '';
  return deltaTexts(parseQuietly(bytes.toString('utf8', member.valueStart, member.end))).join('');
}

/** Every string a model wrote, wherever the answer keeps it: content, reasoning, tool arguments, refusals. */
export function deltaTexts(value: unknown): string[] {
  const texts: string[] = [];
  collect(value, texts);
  return texts;
}

const NOT_WRITTEN_BY_THE_MODEL = new Set(['role', 'id', 'type', 'finish_reason', 'object']);

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, texts);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) if (!NOT_WRITTEN_BY_THE_MODEL.has(key)) collect(item, texts);
  }
}

/** A provider may send anything; what cannot be read is unknown, and unknown usage is estimated, not dropped. */
export function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
