import { type DetectedKind } from './tag-policy.ts';

/** The bucket of values beyond a key's cap. Never a value a caller can send. */
export const OTHER = '(other)';

export const HASH_HEX = 16;

const HASHED = /^h_[0-9a-f]{16}$/;

const MARK = /^(?:h_[0-9a-f]{16}|\((?:other|multiple|email|phone|card|secret)\))$/;

/** What stands for a text of that kind. */
export function maskOf(kind: DetectedKind): string {
  return `(${kind})`;
}

/** What stands for a key of that kind: a legal key. */
export function keyMaskOf(kind: DetectedKind): string {
  return `masked_${kind}`;
}

export function isHashed(text: string): boolean {
  return text.startsWith('h_') && HASHED.test(text);
}

/** What a policy puts in place of a text stays as it is when a policy sees it again. */
export function isMark(text: string): boolean {
  return (text.startsWith('(') || text.startsWith('h_')) && MARK.test(text);
}
