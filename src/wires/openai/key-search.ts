/**
 * Finding keys in the text of an event without parsing it. Most events need none of what is looked for here, and a search for
 * a quote stops at every other byte of JSON: the rest of the key is searched, and the quote checked where it is found.
 * A key inside a string has a backslash before its closing quote, so none of these match there.
 */

const QUOTE = 0x22;
const COLON = 0x3a;
const SPACE = 0x20;

/** Where the last key of this name begins that begins before `before`; -1 when there is none. */
export function findKey(text: string, name: string, before: number): number {
  const end = `${name}"`;
  for (let at = text.lastIndexOf(end, before); at > 0; at = text.lastIndexOf(end, at - 1)) {
    if (text.charCodeAt(at - 1) !== QUOTE) continue;
    let after = at + end.length;
    while (text.charCodeAt(after) === SPACE) after += 1;
    // A string that says no more than the name is no key.
    if (text.charCodeAt(after) === COLON) return at - 1;
  }
  return -1;
}

/** Where the value of the first key of this name begins; -1 when there is none. */
export function findValue(text: string, name: string): number {
  const end = `${name}":`;
  for (let at = text.indexOf(end); at !== -1; at = text.indexOf(end, at + 1))
    if (text.charCodeAt(at - 1) === QUOTE) return at + end.length;
  return -1;
}

/** Whether `"error"` stands in it, as a key or as a value. */
export function mayHoldError(text: string): boolean {
  for (let at = text.indexOf('rror"'); at > 1; at = text.indexOf('rror"', at + 1))
    if (text.charCodeAt(at - 1) === 0x65 && text.charCodeAt(at - 2) === QUOTE) return true;
  return false;
}
