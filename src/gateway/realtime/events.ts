import { scanJsonObject, type JsonMember } from '#std';
import { NO_TARGET, type RequestBody } from '#wires';

/** One event of a dialogue: its bytes, and where its top-level members are. What is forwarded is not parsed. */
export type RealtimeEvent = {
  readonly bytes: Buffer;
  readonly type: string;
  readonly id: string;
  readonly members: ReadonlyMap<string, JsonMember>;
};

/** Null for what is no event: it goes on as it came, and the other side says what is wrong with it. */
export function readEvent(bytes: Buffer): RealtimeEvent | null {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return null;
  const members = new Map(scan.members.map((member) => [member.key, member]));
  // Of two members of a name another parser may read the other one.
  if (members.size < scan.members.length) return null;
  const text = (name: string): string => {
    const value = valueOf({ bytes, members }, name);
    return typeof value === 'string' ? value : '';
  };
  return { bytes, type: text('type'), id: text('event_id'), members };
}

export function valueOf({ bytes, members }: Pick<RealtimeEvent, 'bytes' | 'members'>, name: string): unknown {
  const member = members.get(name);
  if (member === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', member.valueStart, member.end));
  } catch {
    // A broken value says nothing; the other side refuses it.
    return undefined;
  }
}

export type Fields = { readonly [name: string]: unknown };

export function objectOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An object inside an event, as a request of its own; null where there is none. */
export function bodyIn({ bytes, members }: RealtimeEvent, name: string): RequestBody | null {
  const member = members.get(name);
  if (member === undefined) return null;
  const inside = bytes.subarray(member.valueStart, member.end);
  const scan = scanJsonObject(inside);
  if (!scan.ok) return null;
  const found = new Map(scan.members.map((one) => [one.key, one]));
  return { bytes: inside, members: found, form: null, target: NO_TARGET };
}

/** The event with another object in place of the one it has, and with an id. */
export function rewritten(
  { bytes, members, id }: RealtimeEvent,
  given: { readonly name: string; readonly body: Buffer | null; readonly id: string },
): Buffer {
  const member = members.get(given.name);
  const parts =
    member === undefined || given.body === null
      ? [bytes]
      : [bytes.subarray(0, member.valueStart), given.body, bytes.subarray(member.end)];
  const whole = Buffer.concat(parts);
  if (id !== '') return whole;
  const open = whole.indexOf('{') + 1;
  return Buffer.concat([
    whole.subarray(0, open),
    Buffer.from(`"event_id":${JSON.stringify(given.id)},`),
    whole.subarray(open),
  ]);
}
