import { scanJsonObject, type JsonMember } from '#std';
import { usageContext } from '../answer-context.ts';
import { asObject, asText, memberText, memberValue } from '../loose-json.ts';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { readAnthropicUsage } from './usage.ts';

/** Reads a message's facts. What is no JSON object (an HTML error page, a cut body) has none. */
export function readMessageAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const found: Record<string, JsonMember | undefined> = {};
  for (const member of scan.members) if (READ.has(member.key)) found[member.key] = member;
  const { id, model, usage: given, content, error } = found;
  const usage =
    given === undefined
      ? null
      : readAnthropicUsage(memberText(bytes, given), usageContext(context, { serviceTier: '' }));
  return {
    id: asText(memberValue(bytes, id)),
    model: asText(memberValue(bytes, model)),
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? contentText(memberValue(bytes, content)) : '',
    outputCharsBeyond: 0,
    failed: error !== undefined && content === undefined,
  };
}

const READ: ReadonlySet<string> = new Set(['id', 'model', 'usage', 'content', 'error']);

/** Counting tokens is free: nothing is metered, which is known and not missing. */
export function readCountAnswer(bytes: Buffer, _context: AnswerContext): AnswerFacts {
  const scan = scanJsonObject(bytes);
  const failed = !scan.ok || scan.members.some(({ key }) => key === 'error');
  return {
    ...NO_FACTS,
    usage: { meters: {}, origin: 'reported', raw: '' },
    usageComplete: true,
    failed,
  };
}

/** Everything a model wrote into the blocks of a message: text, thoughts, what it calls tools with. */
function contentText(content: unknown): string {
  return Array.isArray(content) ? content.map(blockText).join('') : '';
}

/** What a model wrote into one block. What a server's tools found is input, and no text of the model's. */
export function blockText(value: unknown): string {
  const block = asObject(value);
  if (block === null) return '';
  const { type, text, thinking, content, name, input } = block;
  if (type === 'text') return asText(text);
  if (type === 'thinking') return asText(thinking);
  if (type === 'compaction') return asText(content);
  if (type === 'tool_use' || type === 'server_tool_use' || type === 'mcp_tool_use') {
    const args = asObject(input);
    // A stream opens the block with no arguments, and writes them piece by piece.
    return asText(name) + (args === null || Object.keys(args).length === 0 ? '' : JSON.stringify(args));
  }
  return '';
}
