declare const callId: unique symbol;
declare const entryId: unique symbol;

/** `call_` + UUIDv7 in 32 hex digits: sorts by time, unique without coordination. */
export type CallId = string & { readonly [callId]: true };

/** `<call>.<attempt>.<kind>.<n>`: deterministic, so the same event written twice is seen to be the same. */
export type EntryId = string & { readonly [entryId]: true };

/** @param random 10 random bytes @param timestampMs wall clock, milliseconds since 1970 (RFC 9562, section 5.7) */
export function makeCallId(timestampMs: number, random: Uint8Array): CallId {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeUIntBE(timestampMs, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `call_${bytes.toString('hex')}` as CallId;
}

/** When the call of an id began, by what is written in it; null of what is no such id. */
export function callBegan(id: string): number | null {
  const [, time] = /^call_([0-9a-f]{12})7[0-9a-f]{19}(?:\.|$)/.exec(id) ?? [];
  return time === undefined ? null : Number.parseInt(time, 16);
}

export function makeEntryId(call: CallId, attempt: number, event: { kind: string; n: number }): EntryId {
  return `${call}.${attempt}.${event.kind}.${event.n}` as EntryId;
}
