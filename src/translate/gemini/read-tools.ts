import { asFields, asList, only, text, textNeeded } from '../fields.ts';
import type { Tool } from '../prompt.ts';
import { unsayable } from '../refusal.ts';
import { camel } from './names.ts';
import { fromOpenApi } from './open-api.ts';

const FUNCTION_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'description',
  'parameters',
  'parametersJsonSchema',
  'response',
  'responseJsonSchema',
]);

export function readTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  return asList(value, 'tools').flatMap((given, index) => {
    const at = `tools[${index}]`;
    const tool = camel(asFields(given, at));
    for (const name of Object.keys(tool))
      if (name !== 'functionDeclarations') throw unsayable(`${at}.${name}`, 'only functions are tools everywhere');
    const place = `${at}.functionDeclarations`;
    return asList(tool['functionDeclarations'] ?? [], place).map((one, n) => readFunction(one, `${place}[${n}]`));
  });
}

/** What a function gives back is told to Google alone; nobody else asks. */
function readFunction(value: unknown, at: string): Tool {
  const given = camel(asFields(value, at));
  only(given, FUNCTION_FIELDS, at);
  return {
    name: textNeeded(given, 'name', at),
    description: text(given, 'description', at) ?? '',
    schema: given['parametersJsonSchema'] ?? fromOpenApi(given['parameters']) ?? null,
    strict: null,
    at,
    cache: null,
  };
}
