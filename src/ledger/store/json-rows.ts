/** Rows of an answer in the format JSONEachRow. */
export function parseRows<T>(lines: string): T[] {
  const text = lines.trimEnd();
  // A line break inside a value is escaped, so every raw one ends a row.
  return text === '' ? [] : JSON.parse(`[${text.replaceAll('\n', ',')}]`);
}
