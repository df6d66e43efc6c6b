import type { MediaPart, Part, Prompt, ToolResultPart, Turn } from '../prompt.ts';
import { unsayable } from '../refusal.ts';

export function writeMessages({ system, turns }: Pick<Prompt, 'system' | 'turns'>): readonly object[] {
  const messages: object[] = system.map(({ text }) => ({ role: 'system', content: text }));
  for (const turn of turns) messages.push(...(turn.role === 'user' ? writeUser(turn) : writeAssistant(turn)));
  return messages;
}

/** Results of tools are messages of their own, and stand before what the user says. */
function writeUser({ parts }: Turn): object[] {
  const messages: object[] = [];
  const said: object[] = [];
  for (const part of parts) {
    if (part.kind === 'tool_result') messages.push(writeResult(part, said));
    else said.push(writePart(part));
  }
  if (said.length > 0) messages.push({ role: 'user', content: plainOf(said) });
  return messages;
}

/** OpenAI's results are text: what else a tool gave back follows as the user's. */
function writeResult({ id, content }: ToolResultPart, said: object[]): object {
  const texts: string[] = [];
  for (const part of content) {
    if (part.kind === 'text') texts.push(part.text);
    else said.push(writePart(part));
  }
  return { role: 'tool', tool_call_id: id, content: texts.join('\n') };
}

/** One text is written as a string, which every server takes. */
function plainOf(parts: readonly object[]): unknown {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && 'text' in first) return first.text;
  return parts;
}

function writeAssistant({ parts }: Turn): object[] {
  const texts: string[] = [];
  const calls: object[] = [];
  let refusal: string | null = null;
  for (const part of parts) {
    switch (part.kind) {
      case 'text':
        texts.push(part.text);
        break;
      case 'refusal':
        refusal = (refusal ?? '') + part.text;
        break;
      case 'tool_call':
        calls.push({
          id: part.id,
          type: 'function',
          function: { name: part.name, arguments: part.args === '' ? '{}' : part.args },
        });
        break;
      case 'reasoning':
        // OpenAI's chat takes no thoughts back.
        break;
      default:
        throw unsayable(part.at, 'an assistant answers OpenAI in text and tool calls only');
    }
  }
  if (texts.length === 0 && calls.length === 0 && refusal === null) return [];
  return [
    {
      role: 'assistant',
      content: texts.length === 0 ? null : texts.join(''),
      ...(refusal === null ? {} : { refusal }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

function writePart(part: Part): object {
  if (part.kind === 'text') return { type: 'text', text: part.text };
  if (part.kind === 'media') return writeMedia(part);
  throw unsayable(part.at, 'a user says texts, images, sounds and files');
}

const SOUNDS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/mp3': 'mp3',
  'audio/mpeg': 'mp3',
};

function writeMedia(part: MediaPart): object {
  const { medium, source, type, name, at } = part;
  if (source.from === 'text') return { type: 'text', text: source.text };
  const url = source.from === 'url' ? source.url : `data:${type};base64,${source.base64}`;
  if (medium === 'image') return { type: 'image_url', image_url: { url } };
  if (source.from === 'url') throw unsayable(at, 'OpenAI fetches images only', 'Send the bytes in base64.');
  if (medium === 'document')
    return {
      type: 'file',
      file: { filename: name === '' ? `document.${type.slice(type.indexOf('/') + 1)}` : name, file_data: url },
    };
  const format = SOUNDS[type];
  if (medium !== 'audio' || format === undefined) throw unsayable(at, `OpenAI takes sound as wav or mp3, not ${type}`);
  return { type: 'input_audio', input_audio: { data: source.base64, format } };
}
