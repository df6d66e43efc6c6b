import { asFields, asList, flag, only, text, textNeeded, type Fields } from '../fields.ts';
import type { CacheMark, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';

/** `eager_input_streaming` decides how finely Anthropic cuts its stream: it says nothing of the answer. */
const TOOL_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  'eager_input_streaming',
  'allowed_callers',
  'defer_loading',
]);

export function readTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'tools').map((tool, index) => readTool(asFields(tool, `tools[${index}]`), `tools[${index}]`));
}

function readTool(tool: Fields, at: string): Tool {
  const type = text(tool, 'type', at) ?? 'custom';
  if (type !== 'custom') throw unsayable(at, `only Anthropic has the tool ${type}`);
  only(tool, TOOL_FIELDS, at);
  if (flag(tool, 'defer_loading', at) === true)
    throw unsayable(`${at}.defer_loading`, 'only Anthropic looks for tools');
  const callers = tool['allowed_callers'] ?? [];
  if (asList(callers, `${at}.allowed_callers`).some((caller) => caller !== 'direct'))
    throw unsayable(`${at}.allowed_callers`, 'only Anthropic calls tools from code that it runs');
  return {
    name: textNeeded(tool, 'name', at),
    description: text(tool, 'description', at) ?? '',
    schema: asFields(tool['input_schema'], `${at}.input_schema`),
    strict: flag(tool, 'strict', at),
    at,
    cache: readCache(tool['cache_control'], `${at}.cache_control`),
  };
}

export function readCache(value: unknown, at: string): CacheMark | null {
  if (value === undefined || value === null) return null;
  return { lifetime: asFields(value, at)['ttl'] === '1h' ? '1h' : '5m' };
}
