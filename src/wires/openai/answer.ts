import { scanJsonObject, type JsonMember } from '#std';
import type { Usage } from '#terms';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { usageContext } from './answer-context.ts';
import { withBreakdown } from './breakdown.ts';
import { asText, memberText, memberValue } from './loose-json.ts';
import { usageWithout } from './reading.ts';
import { openAiChatUsage } from './usage.ts';

/** Reads a chat completion's facts. What is no JSON object (an HTML error page, a cut body) has none. */
export function readChatAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = membersOf(bytes);
  if (members === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const failed = isError(bytes, members.get('error'));
  const usage = readUsage(bytes, { members, context });
  const unread = usage === null && !(failed && !members.has('choices'));
  return {
    id: textOf(bytes, members.get('id')),
    model: textOf(bytes, members.get('model')),
    usage,
    usageComplete: usage !== null,
    outputText: unread ? outputTexts(memberValue(bytes, members.get('choices'))).join('') : '',
    outputCharsBeyond: 0,
    failed,
  };
}

type Members = ReadonlyMap<string, JsonMember>;

function readUsage(bytes: Buffer, answer: { members: Members; context: AnswerContext }): Usage | null {
  const { members, context } = answer;
  const member = members.get('usage');
  const around = usageContext(context, { serviceTier: textOf(bytes, members.get('service_tier')) });
  const usage = member === undefined ? null : openAiChatUsage(memberText(bytes, member), around);
  if (usage === null) return around.reportedCost === undefined ? null : usageWithout({}, around);
  return withBreakdown(usage, memberValue(bytes, members.get('usage_breakdown') ?? members.get('x_groq')));
}

/** The top-level members by name, null for what is no JSON object. */
export function membersOf(bytes: Buffer): Members | null {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return null;
  const members = new Map<string, JsonMember>();
  for (const member of scan.members) members.set(member.key, member);
  return members;
}

export function textOf(bytes: Buffer, member: JsonMember | undefined): string {
  return asText(memberValue(bytes, member));
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
