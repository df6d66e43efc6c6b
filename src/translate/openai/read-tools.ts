import { asFields, asList, flag, only, text, textNeeded, type Fields } from '../fields.ts';
import type { CacheMark, Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';

const TOOL_FIELDS: ReadonlySet<string> = new Set(['type', 'function', 'cache_control']);
const FUNCTION_FIELDS: ReadonlySet<string> = new Set(['name', 'description', 'parameters', 'strict', 'cache_control']);

export function readTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'tools').map((tool, index) => readTool(asFields(tool, `tools[${index}]`), `tools[${index}]`));
}

function readTool(tool: Fields, at: string): Tool {
  if (tool['type'] !== 'function')
    throw unsayable(at, `only functions are tools everywhere, and this one is of type ${String(tool['type'])}`);
  only(tool, TOOL_FIELDS, at);
  const place = `${at}.function`;
  const given = asFields(tool['function'], place);
  only(given, FUNCTION_FIELDS, place);
  return {
    name: textNeeded(given, 'name', place),
    description: text(given, 'description', place) ?? '',
    schema: given['parameters'] ?? null,
    strict: flag(given, 'strict', place),
    at,
    cache: readCache(tool['cache_control'] ?? given['cache_control'], `${at}.cache_control`),
  };
}

/** Anthropic's mark, which LiteLLM's callers put into OpenAI's messages and tools. */
export function readCache(value: unknown, at: string): CacheMark | null {
  if (value === undefined || value === null) return null;
  return { lifetime: asFields(value, at)['ttl'] === '1h' ? '1h' : '5m' };
}
