import { isFields, type Fields } from './fields.ts';

/**
 * Whether a JSON schema is one that OpenAI takes as strict: every object lists all its properties as required, and allows
 * no others (OpenAI, structured outputs).
 */
export function takesEveryProperty(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(takesEveryProperty);
  if (!isFields(schema)) return true;
  const { properties, required } = schema;
  if (schema['type'] === 'object' || properties !== undefined) {
    const names = isFields(properties) ? Object.keys(properties) : [];
    const needed: readonly unknown[] = Array.isArray(required) ? required : [];
    if (schema['additionalProperties'] !== false || names.some((name) => !needed.includes(name))) return false;
  }
  return Object.values(schema).every(takesEveryProperty);
}

/**
 * A JSON schema whose objects say nothing of other properties, saying that there are none: Anthropic's output format takes
 * no object without it (structured outputs, JSON schema limitations).
 */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isFields(schema)) return schema;
  const written: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (NAMED.has(name) && isFields(value)) written[name] = closedEach(value);
    else written[name] = LITERAL.has(name) ? value : closed(value);
  }
  const isObject = schema['type'] === 'object' || isFields(schema['properties']);
  if (isObject && schema['additionalProperties'] === undefined) written['additionalProperties'] = false;
  return written;
}

/** Schemas by names of their own, which may be any. */
const NAMED: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);

function closedEach(schemas: Fields): Fields {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema)]));
}

/** Values, in which nothing is a schema. */
const LITERAL: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'required']);
