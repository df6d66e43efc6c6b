import type { Offer } from '../conversation.ts';
import type { Refusal } from '../dialect.ts';
import { isObject, objectsOf, type Fields } from '../json-fields.ts';
import { SIGNATURE, THOUGHT } from './message-events.ts';
import { refusal } from './refusals.ts';

const BLOCK_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'cache_control', 'citations']),
  image: new Set(['type', 'source', 'cache_control']),
  document: new Set(['type', 'source', 'title', 'context', 'citations', 'cache_control']),
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control', 'caller']),
  tool_result: new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']),
  thinking: new Set(['type', 'thinking', 'signature']),
  redacted_thinking: new Set(['type', 'data']),
};

/** Refuses what Anthropic refuses in messages, tools and thinking; else says what the model may do. */
export function checkConversation(fields: Fields): Offer | Refusal {
  const messages = objectsOf(fields['messages']);
  const wrong = wrongIn(messages) ?? wrongThinking(fields, messages) ?? wrongTools(fields);
  if (wrong !== null) return refusal(400, wrong);
  const tools = objectsOf(fields['tools']);
  const choice = isObject(fields['tool_choice']) ? fields['tool_choice'] : {};
  const answered = objectsOf(messages.at(-1)?.['content']).some(({ type }) => type === 'tool_result');
  const named = choice['type'] === 'tool' ? choice['name'] : undefined;
  const config = isObject(fields['output_config']) ? fields['output_config'] : {};
  const format = isObject(config['format']) ? config['format']['schema'] : undefined;
  const offered = tools.map(({ name, input_schema: schema }) => ({ name: String(name), schema }));
  return {
    tools:
      answered || choice['type'] === 'none' ? [] : offered.filter(({ name }) => named === undefined || name === named),
    forced: choice['type'] === 'any' || named !== undefined,
    schema: format,
  };
}

function wrongIn(messages: readonly Fields[]): string | null {
  if (messages[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role';
  let open: string[] = [];
  for (const [index, { content }] of messages.entries()) {
    const blocks = objectsOf(content);
    if (content === '') return `messages.${index}: content must be non-empty`;
    for (const [at, block] of blocks.entries()) {
      const wrong = wrongBlock(block);
      if (wrong !== null) return `messages.${index}.content.${at}: ${wrong}`;
    }
    const answered = blocks.filter(({ type }) => type === 'tool_result').map((block) => String(block['tool_use_id']));
    if (answered.toSorted().join() !== open.toSorted().join())
      return `messages.${index}: \`tool_use\` ids ${open.join()} and \`tool_result\` ids ${answered.join()} differ`;
    open = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => String(id));
  }
  return open.length > 0 ? `messages: \`tool_use\` ids without \`tool_result\`: ${open.join()}` : null;
}

function wrongBlock(block: Fields): string | null {
  const known = BLOCK_FIELDS[String(block['type'])];
  const stray = Object.keys(block).find((name) => known?.has(name) !== true);
  if (stray !== undefined) return `${stray}: Extra inputs are not permitted`;
  if (block['text'] === '') return 'text content blocks must be non-empty';
  if (block['type'] === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(String(block['id']))) return 'id: wrong pattern';
  if (block['type'] === 'thinking' && (block['signature'] !== SIGNATURE || block['thinking'] !== THOUGHT))
    return 'Invalid `signature` in `thinking` block';
  const { source } = block;
  if (!isObject(source) || source['type'] !== 'base64') return null;
  const types = block['type'] === 'image' ? /^image\/(?:png|jpeg|gif|webp)$/ : /^application\/pdf$/;
  return types.test(String(source['media_type'])) ? null : 'media_type: Input should be known';
}

function wrongThinking(fields: Fields, messages: readonly Fields[]): string | null {
  const { thinking, temperature, max_tokens: limit, tool_choice: choice } = fields;
  if (typeof temperature === 'number' && temperature > 1) return 'temperature: range: 0..1';
  if (!isObject(thinking) || thinking['type'] !== 'enabled') return null;
  const budget = thinking['budget_tokens'];
  if (typeof budget !== 'number' || budget < 1024) return 'thinking.enabled.budget_tokens: at least 1024';
  if (typeof limit !== 'number' || budget >= limit)
    return '`max_tokens` must be greater than `thinking.budget_tokens`.';
  if (temperature !== undefined && temperature !== 1)
    return '`temperature` may only be set to 1 when thinking is enabled';
  if (isObject(choice) && (choice['type'] === 'tool' || choice['type'] === 'any'))
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  const last = objectsOf(messages.findLast(({ role }) => role === 'assistant')?.['content']);
  const thought = last[0]?.['type'] === 'thinking' || last[0]?.['type'] === 'redacted_thinking';
  return last.some(({ type }) => type === 'tool_use') && !thought
    ? 'Expected `thinking` or `redacted_thinking`, but found `tool_use`.'
    : null;
}

function wrongTools(fields: Fields): string | null {
  const tools = objectsOf(fields['tools']);
  const bare = tools.find((tool) => tool['type'] === undefined && !isObject(tool['input_schema']));
  if (bare !== undefined) return 'tools.0.custom.input_schema: Field required';
  const choice = fields['tool_choice'];
  if (isObject(choice) && tools.length === 0) return 'tool_choice may only be specified while providing tools';
  if (isObject(choice) && choice['type'] === 'tool' && !tools.some(({ name }) => name === choice['name']))
    return `Tool '${String(choice['name'])}' not found in provided tools`;
  const config = fields['output_config'];
  const format = isObject(config) ? config['format'] : undefined;
  const schema = isObject(format) ? format['schema'] : undefined;
  return isObject(schema) && schema['type'] === 'object' && schema['additionalProperties'] !== false
    ? "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    : null;
}
