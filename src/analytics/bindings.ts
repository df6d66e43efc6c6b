import type { SqlParams } from './reader.ts';

/** ClickHouse types a parameter may be bound as. */
type ParameterType = 'String' | 'Array(String)' | 'Int64' | 'UInt64' | 'UInt32';

/** Collects bound parameters while SQL is put together; a value of a caller is never part of the text. */
export type Bindings = {
  readonly params: SqlParams;
  /** The placeholder for `value`. Equal values share one, so an expression written twice is the same text twice. */
  readonly bind: (type: ParameterType, value: string | number | readonly string[]) => string;
};

export function createBindings(): Bindings {
  const params: Record<string, SqlParams[string]> = {};
  const placeholders = new Map<string, string>();
  return {
    params,
    bind(type, value) {
      const identity = `${type}:${JSON.stringify(value)}`;
      const known = placeholders.get(identity);
      if (known !== undefined) return known;
      const name = `p${placeholders.size}`;
      params[name] = value;
      const placeholder = `{${name}:${type}}`;
      placeholders.set(identity, placeholder);
      return placeholder;
    },
  };
}
