import type { Offer } from '../conversation.ts';
import type { Refusal } from '../dialect.ts';
import { isObject, objectsOf, type Fields } from '../json-fields.ts';
import { refusal } from './refusals.ts';

const MESSAGE_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  developer: new Set(['role', 'content', 'name']),
  system: new Set(['role', 'content', 'name']),
  user: new Set(['role', 'content', 'name']),
  assistant: new Set([
    'role',
    'content',
    'name',
    'refusal',
    'audio',
    'tool_calls',
    'function_call',
    'annotations',
    'parsed',
  ]),
  tool: new Set(['role', 'content', 'tool_call_id']),
};

const PARTS: Readonly<Record<string, (part: Fields) => boolean>> = {
  text: (part) => typeof part['text'] === 'string',
  refusal: (part) => typeof part['refusal'] === 'string',
  image_url: ({ image_url: image }) =>
    isObject(image) && /^(?:https?:\/\/|data:image\/[a-z]+;base64,)/.test(String(image['url'])),
  input_audio: ({ input_audio: audio }) => isObject(audio) && ['wav', 'mp3'].includes(String(audio['format'])),
  file: ({ file }) => isObject(file) && String(file['file_data']).startsWith('data:application/pdf;base64,'),
};

/** Refuses what OpenAI refuses in messages, tools and formats; else says what the model may do. */
export function checkConversation(fields: Fields): Offer | Refusal {
  const messages = objectsOf(fields['messages']);
  const wrong = wrongIn(messages) ?? wrongTools(fields);
  if (wrong !== null) return refusal(400, wrong.message, { param: wrong.param, code: 'invalid_value' });
  const choice = fields['tool_choice'];
  const tools = objectsOf(fields['tools']).flatMap(({ function: one }) =>
    isObject(one) ? [{ name: String(one['name']), schema: one['parameters'] }] : [],
  );
  const free = messages.at(-1)?.['role'] !== 'tool' && choice !== 'none';
  const named = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined;
  return {
    tools: free ? tools.filter(({ name }) => named === undefined || name === named) : [],
    forced: choice === 'required' || named !== undefined,
    schema: schemaOf(fields['response_format']),
  };
}

type Wrong = { readonly message: string; readonly param: string };

function wrongIn(messages: readonly Fields[]): Wrong | null {
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const param = `messages[${index}]`;
    const known = MESSAGE_FIELDS[String(message['role'])];
    const stray = Object.keys(message).find((name) => known?.has(name) !== true);
    if (stray !== undefined) return { message: `Unknown parameter: '${param}.${stray}'.`, param: `${param}.${stray}` };
    if (message['role'] === 'tool') {
      const id = String(message['tool_call_id']);
      if (!open.includes(id)) return { message: `'${id}' answers no call of the message before.`, param };
      open = open.filter((one) => one !== id);
    } else if (open.length > 0) return { message: `Calls without an answer: ${open.join(', ')}`, param };
    const badPart = objectsOf(message['content']).find((part) => PARTS[String(part['type'])]?.(part) !== true);
    if (badPart !== undefined) return { message: `Invalid part: ${JSON.stringify(badPart)}`, param };
    if (message['role'] === 'assistant') open = objectsOf(message['tool_calls']).map(({ id }) => String(id));
  }
  return open.length > 0 ? { message: `Calls without an answer: ${open.join(', ')}`, param: 'messages' } : null;
}

function wrongTools(fields: Fields): Wrong | null {
  const tools = objectsOf(fields['tools']);
  const names = tools.map(({ function: one }) => (isObject(one) ? one['name'] : undefined));
  if (names.some((name) => typeof name !== 'string')) return { message: 'A tool has no name.', param: 'tools' };
  const choice = fields['tool_choice'];
  if (choice !== undefined && tools.length === 0)
    return { message: "'tool_choice' is only allowed when 'tools' are specified.", param: 'tool_choice' };
  if (isObject(choice) && isObject(choice['function']) && !names.includes(choice['function']['name']))
    return { message: 'No such tool.', param: 'tool_choice' };
  const format = fields['response_format'];
  const given = isObject(format) ? format['json_schema'] : undefined;
  if (isObject(given) && given['strict'] === true && !isStrict(given['schema']))
    return { message: "'additionalProperties' is required to be supplied and to be false.", param: 'response_format' };
  return null;
}

function isStrict(schema: unknown): boolean {
  if (!isObject(schema) || schema['type'] !== 'object') return true;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const { required } = schema;
  const all = Object.keys(properties).every((name) => Array.isArray(required) && required.includes(name));
  return schema['additionalProperties'] === false && all && Object.values(properties).every(isStrict);
}

function schemaOf(format: unknown): unknown {
  if (!isObject(format)) return undefined;
  if (format['type'] === 'json_object') return { type: 'object', properties: { answer: { type: 'string' } } };
  return isObject(format['json_schema']) ? format['json_schema']['schema'] : undefined;
}
