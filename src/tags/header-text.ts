import { ApportionError } from '#terms';

const utf8 = new TextDecoder('utf-8', { fatal: true });

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** What was sent as bytes of UTF-8 and came, as Node hands it over, with one character per byte. */
export function decodeHeader(raw: string, name: string): string {
  if (!BEYOND_ASCII.test(raw)) return raw;
  // Node never hands over more than a byte per character; a text that has more did not come over the wire.
  return decodeBytes(Buffer.from(raw, 'latin1'), name);
}

/**
 * `%XX` becomes the byte it stands for; a `%` that is not followed by two hex digits stands for itself, because people
 * write `discount=50%`.
 */
export function decodePercent(text: string, name: string): string {
  if (!ESCAPE.test(text)) return text;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { 0: escape, index } of text.matchAll(ESCAPES)) {
    parts.push(Buffer.from(text.slice(from, index)), Buffer.from([Number.parseInt(escape.slice(1), 16)]));
    from = index + escape.length;
  }
  parts.push(Buffer.from(text.slice(from)));
  return decodeBytes(Buffer.concat(parts), name);
}

const ESCAPE = /%[0-9A-Fa-f]{2}/;

const ESCAPES = /%[0-9A-Fa-f]{2}/g;

function decodeBytes(bytes: Uint8Array, name: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ApportionError('invalid_tag', `${name}: the text is not valid UTF-8.`, {
      param: name,
      hint: 'Send UTF-8, or write other characters as %XX of their UTF-8 bytes.',
      cause,
    });
  }
}
