import { scanJsonObject, type JsonMember } from '#std';
import type { Usage } from '#terms';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { usageContext } from '../answer-context.ts';
import { withBreakdown } from './breakdown.ts';
import { asText, memberText, memberValue } from '../loose-json.ts';
import { usageWithout } from '../reading.ts';
import { openAiChatUsage } from './usage.ts';

const QUOTE = 0x22;

/** Reads a chat completion's facts. What is no JSON object (an HTML error page, a cut body) has none. */
export function readChatAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const found = findMembers(scan.members);
  const failed = isError(bytes, found.error);
  const usage = readUsage(bytes, found, context);
  const unread = usage === null && !(failed && found.choices === undefined);
  return {
    id: textOf(bytes, found.id),
    model: textOf(bytes, found.model),
    usage,
    usageComplete: usage !== null,
    outputText: unread ? outputTexts(memberValue(bytes, found.choices)).join('') : '',
    outputCharsBeyond: 0,
    failed,
  };
}

class Found {
  id: JsonMember | undefined;
  model: JsonMember | undefined;
  usage: JsonMember | undefined;
  serviceTier: JsonMember | undefined;
  choices: JsonMember | undefined;
  error: JsonMember | undefined;
  breakdown: JsonMember | undefined;
}

/** One pass, no map, and one shape: this runs for every answer. */
function findMembers(members: readonly JsonMember[]): Found {
  const found = new Found();
  for (const member of members) {
    const { key } = member;
    if (key === 'id') found.id = member;
    else if (key === 'model') found.model = member;
    else if (key === 'usage') found.usage = member;
    else if (key === 'service_tier') found.serviceTier = member;
    else if (key === 'choices') found.choices = member;
    else if (key === 'error') found.error = member;
    else if (key === 'usage_breakdown') found.breakdown = member;
    else if (key === 'x_groq') found.breakdown ??= member;
  }
  return found;
}

function readUsage(bytes: Buffer, found: Found, context: AnswerContext): Usage | null {
  const around = usageContext(context, { serviceTier: textOf(bytes, found.serviceTier) });
  const usage = found.usage === undefined ? null : openAiChatUsage(memberText(bytes, found.usage), around);
  if (usage === null) return around.reportedCost === undefined ? null : usageWithout({}, around);
  return found.breakdown === undefined ? usage : withBreakdown(usage, memberValue(bytes, found.breakdown));
}

type Members = ReadonlyMap<string, JsonMember>;

/** The top-level members by name, null for what is no JSON object. */
export function membersOf(bytes: Buffer): Members | null {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return null;
  const members = new Map<string, JsonMember>();
  for (const member of scan.members) members.set(member.key, member);
  return members;
}

export function textOf(bytes: Buffer, member: JsonMember | undefined): string {
  if (member === undefined || bytes[member.valueStart] !== QUOTE) return '';
  const text = bytes.toString('utf8', member.valueStart + 1, member.end - 1);
  return text.includes('\\') ? asText(memberValue(bytes, member)) : text;
}

/** Some providers send `"error": null` with every answer. */
export function isError(bytes: Buffer, member: JsonMember | undefined): boolean {
  return member !== undefined && memberText(bytes, member) !== 'null';
}

/** Every string a model wrote, wherever the answer keeps it: content, reasoning, tool arguments, refusals. */
export function outputTexts(value: unknown): string[] {
  const texts: string[] = [];
  collect(value, texts);
  return texts;
}

const NOT_WRITTEN_BY_THE_MODEL = new Set([
  'role',
  'id',
  'call_id',
  'type',
  'status',
  'finish_reason',
  'native_finish_reason',
  'object',
  'error',
  'encrypted_content',
  'data',
  'b64_json',
  'annotations',
  'logprobs',
]);

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, texts);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) if (!NOT_WRITTEN_BY_THE_MODEL.has(key)) collect(item, texts);
  }
}
