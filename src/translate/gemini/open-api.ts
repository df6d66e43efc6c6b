import { isFields } from '../fields.ts';

/** Words of Google's schemas (a part of OpenAPI 3.0) that JSON schema does not have, or has otherwise. */
const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
]);

/** Google's schema as JSON schema: types in lower case, counts as numbers, `nullable` as a type. */
export function fromOpenApi(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(fromOpenApi);
  if (!isFields(schema)) return schema;
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'nullable' || name === 'propertyOrdering') continue;
    // An example is a word of OpenAPI alone; JSON schema has a list of them.
    if (name === 'example') written['examples'] = [value];
    else if (name === 'type') written['type'] = typeof value === 'string' ? value.toLowerCase() : value;
    else if (name === 'properties' && isFields(value))
      written['properties'] = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fromOpenApi(one)]));
    else if (name === 'items' || name === 'anyOf') written[name] = fromOpenApi(value);
    else if (COUNTS.has(name) && typeof value === 'string') written[name] = Number(value);
    else written[name] = value;
  }
  if (schema['nullable'] === true && typeof written['type'] === 'string') written['type'] = [written['type'], 'null'];
  return written;
}
