import { asFields, asList, flag, only, text, textNeeded } from '../fields.ts';
import type { Tool, ToolChoice } from '../prompt.ts';
import { unsayable } from '../refusal.ts';

const FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict']);

export function readTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'tools').map((tool, index) => {
    const at = `tools[${index}]`;
    const given = asFields(tool, at);
    if (given['type'] !== 'function')
      throw unsayable(at, `only functions are tools everywhere, and this one is of type ${String(given['type'])}`);
    only(given, FIELDS, at);
    return {
      name: textNeeded(given, 'name', at),
      description: text(given, 'description', at) ?? '',
      schema: given['parameters'] ?? null,
      strict: flag(given, 'strict', at),
      at,
      cache: null,
    };
  });
}

const MODES = ['auto', 'none', 'required'] as const;

export function readToolChoice(value: unknown): ToolChoice | null {
  if (value === undefined || value === null) return null;
  const mode = MODES.find((one) => one === value);
  if (mode !== undefined) return { mode, only: [] };
  const at = 'tool_choice';
  const choice = asFields(value, at);
  if (choice['type'] === 'function') return { mode: 'required', only: [textNeeded(choice, 'name', at)] };
  if (choice['type'] !== 'allowed_tools') throw unsayable(at, 'it names a tool that is no function');
  const names = asList(choice['tools'], `${at}.tools`).map((tool, index) => {
    const place = `${at}.tools[${index}]`;
    const given = asFields(tool, place);
    if (given['type'] !== 'function') throw unsayable(place, 'it is no function');
    return textNeeded(given, 'name', place);
  });
  return { mode: choice['mode'] === 'required' ? 'required' : 'auto', only: names };
}
