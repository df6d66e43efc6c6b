import { invariant } from '#std';

/** What a placeholder may stand for. Money goes in as `bigint`; `null` needs a `Nullable(…)` type. */
export type Param = string | number | bigint | boolean | null | readonly Param[];

export type Params = Readonly<Record<string, Param>>;

const PLACEHOLDER = /\{([A-Za-z_]\w*):\s*([A-Za-z][\w(), ']*)\}/g;

/**
 * Puts values in the place of `{name:Type}`, as literals cast to the type. Done here because chDB runs queries with engine-side
 * parameters strictly one after another in the whole process (measured: three of 0.5 s took 1.5 s on three
 * connections), so one slow report would hold up all others. Every placeholder needs a value and every value a placeholder.
 */
export function bind(sql: string, params: Params): string {
  const unused = new Set(Object.keys(params));
  const bound = sql.replace(PLACEHOLDER, (_, name: string, type: string) => {
    const value = params[name];
    invariant(value !== undefined, `the query parameter ${name} has no value`);
    unused.delete(name);
    return `CAST(${literal(value)} AS ${type})`;
  });
  invariant(unused.size === 0, `the query has no placeholder for ${[...unused].join(', ')}`);
  return bound;
}

/** A string as a ClickHouse literal. NUL is written `\0`: a raw one would end the text for the C interface of chDB. */
export function quote(text: string): string {
  return `'${text.toWellFormed().replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** A name of a database, table or cluster. */
export function quoteName(name: string): string {
  return `\`${name.toWellFormed().replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

function literal(value: Param): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return quote(value);
  // Quoted, because a bare literal above 64 bits would be read as a floating-point number.
  if (typeof value === 'bigint') return `'${value}'`;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'object') return `[${value.map(literal).join(', ')}]`;
  invariant(Number.isFinite(value), 'a number in a query is finite');
  return String(value);
}
