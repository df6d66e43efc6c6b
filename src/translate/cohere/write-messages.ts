import type { MediaPart, Part, Prompt, ToolResultPart, Turn } from '../prompt.ts';
import { unsayable } from '../refusal.ts';

export function writeMessages({ system, turns }: Pick<Prompt, 'system' | 'turns'>): readonly object[] {
  const messages: object[] = system.map(({ text }) => ({ role: 'system', content: text }));
  for (const turn of turns) messages.push(...(turn.role === 'user' ? writeUser(turn) : writeAssistant(turn)));
  return messages;
}

/** Results of tools are messages of their own, and stand before what the user says. */
function writeUser({ parts }: Turn): object[] {
  const results = parts.flatMap((part) => (part.kind === 'tool_result' ? [writeResult(part)] : []));
  const said = parts.flatMap((part) => (part.kind === 'tool_result' ? [] : [writeSaid(part)]));
  const [first] = said;
  if (first === undefined) return results;
  const plain = said.length === 1 && 'text' in first;
  return [...results, { role: 'user', content: plain ? first.text : said }];
}

function writeSaid(part: Part): object {
  if (part.kind === 'text') return { type: 'text', text: part.text };
  if (part.kind === 'media') return writeMedia(part);
  throw unsayable(part.at, 'a user says texts and images');
}

function writeMedia({ medium, source, type, at }: MediaPart): object {
  if (source.from === 'text') return { type: 'text', text: source.text };
  if (medium !== 'image') throw unsayable(at, `Cohere takes no ${medium}`);
  const url = source.from === 'url' ? source.url : `data:${type};base64,${source.base64}`;
  return { type: 'image_url', image_url: { url } };
}

function writeResult({ id, content }: ToolResultPart): object {
  const texts = content.map((part) => {
    if (part.kind === 'text') return part.text;
    throw unsayable(part.at, 'a tool gives Cohere back texts only');
  });
  return { role: 'tool', tool_call_id: id, content: texts.join('\n') };
}

/** Thoughts and plans are not sent back: Cohere's models need neither. */
function writeAssistant({ parts }: Turn): object[] {
  const texts: string[] = [];
  const calls: object[] = [];
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'refusal') texts.push(part.text);
    else if (part.kind === 'tool_call') {
      const { id, name, args } = part;
      calls.push({ id, type: 'function', function: { name, arguments: args === '' ? '{}' : args } });
    } else if (part.kind !== 'reasoning')
      throw unsayable(part.at, 'an assistant answers Cohere in text and tool calls');
  }
  const text = texts.join('');
  if (text === '' && calls.length === 0) return [];
  return [
    {
      role: 'assistant',
      ...(text === '' ? {} : { content: text }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}
