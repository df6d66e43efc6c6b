/**
 * The `tags=` grammar of the analytics API, as far as the dashboard needs it: parts joined by commas, where a backslash
 * keeps a comma, a colon or a backslash from meaning anything.
 */
export function splitTags(text: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\' && at + 1 < text.length) {
      part += char + text.charAt(at + 1);
      at += 1;
    } else if (char === ',') {
      parts.push(part);
      part = '';
    } else {
      part += char;
    }
  }
  parts.push(part);
  return parts.map((each) => each.trim()).filter((each) => each !== '');
}

export function joinTags(parts: readonly string[]): string {
  return parts.join(',');
}

/** A label or path as it must be written to be found as it is. */
export function escapeTag(text: string): string {
  return text.replace(/[\\,:]/g, (char) => `\\${char}`);
}

/** `key:value` as it must be written; `key://…` would be read as an address, which is a label. */
export function escapeKeyValue(key: string, value: string): string {
  const escaped = value.replace(/[\\,]/g, (char) => `\\${char}`).replace(/^\/\//, '\\//');
  return `${key}:${escaped}`;
}

/** A part as a person reads it. */
export function readableTag(part: string): string {
  return part.replace(/\\(.)/g, '$1');
}
