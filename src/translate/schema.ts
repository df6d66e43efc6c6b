import { isFields } from './fields.ts';

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
