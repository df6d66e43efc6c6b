import { asFields, only, text, textNeeded } from '../fields.ts';
import type { MediaPart, TextPart } from '../prompt.ts';
import { readContentPart as readChatPart } from '../openai/read-parts.ts';
import { malformed, unsayable } from '../refusal.ts';

const FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  input_text: new Set(['type', 'text', 'prompt_cache_breakpoint']),
  output_text: new Set(['type', 'text', 'annotations', 'logprobs']),
  input_image: new Set(['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint']),
  input_file: new Set(['type', 'file_data', 'file_url', 'file_id', 'filename', 'detail', 'prompt_cache_breakpoint']),
};

/** One part of a message, or of a tool's result: what a chat writes in other words is read as a chat's. */
export function readContentPart(part: unknown, at: string): TextPart | MediaPart {
  const given = asFields(part, at);
  const type = text(given, 'type', at) ?? '';
  const known = FIELDS[type];
  if (known === undefined) throw unsayable(at, `a part of type ${type} is not known to translation`);
  only(given, known, at);
  const mark = { prompt_cache_breakpoint: given['prompt_cache_breakpoint'] };
  if (type === 'input_text' || type === 'output_text')
    return readChatPart({ type: 'text', text: given['text'], ...mark }, at);
  const id = text(given, 'file_id', at);
  if (id !== null && id !== '')
    throw unsayable(`${at}.file_id`, 'the file is with OpenAI', 'Send its bytes as a data URL.');
  if (type === 'input_image') {
    const url = textNeeded(given, 'image_url', at);
    return readChatPart({ type: 'image_url', image_url: { url }, ...mark }, at);
  }
  const address = text(given, 'file_url', at);
  const name = text(given, 'filename', at) ?? '';
  if (address !== null) return documentAt(address, { name, at });
  if (text(given, 'file_data', at) === null) throw malformed(`${at}.file_data`, 'a data URL, or file_url an address');
  return readChatPart({ type: 'file', file: { file_data: given['file_data'], filename: name }, ...mark }, at);
}

function documentAt(url: string, { name, at }: { readonly name: string; readonly at: string }): MediaPart {
  return { kind: 'media', medium: 'document', type: '', source: { from: 'url', url }, name, at, cache: null };
}
