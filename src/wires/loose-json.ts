import type { JsonMember } from '#std';
import type { UsageObject } from './wire.ts';

/** An object, or null for anything else a provider may send in its place. */
export function asObject(value: unknown): UsageObject | null {
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is UsageObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list; whatever else is in it, or instead of it, is left out. */
export function asObjects(value: unknown): readonly UsageObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A provider may send anything; what cannot be read is unknown, and unknown usage is estimated, not dropped. */
export function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value of one member of scanned bytes; undefined when it is absent or no JSON. */
export function memberValue(bytes: Buffer, member: JsonMember | undefined): unknown {
  return member === undefined ? undefined : parseLoosely(memberText(bytes, member));
}

export function memberText(bytes: Buffer, member: JsonMember): string {
  return bytes.toString('utf8', member.valueStart, member.end);
}
