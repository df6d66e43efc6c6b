import type { UsageObject } from '../wire.ts';
import { asObject } from '../loose-json.ts';

/**
 * The usage of a stream so far, with what the next event says. Counts in `message_delta` are cumulative (SDK 1.12.0,
 * `MessageDeltaUsage`): they replace those before them and are never added. What is null or left out says nothing, and a
 * running total does not fall back to zero.
 */
export function mergeUsage(sofar: UsageObject | null, next: UsageObject): UsageObject {
  if (sofar === null) return next;
  const merged: Record<string, unknown> = { ...sofar };
  for (const [name, value] of Object.entries(next)) {
    if (value === null || value === undefined) continue;
    if (value === 0 && typeof merged[name] === 'number') continue;
    merged[name] = value;
  }
  return merged;
}

/** The usage of a stream's events, as one object; null when none of them carries any. */
export function mergeAnthropicEvents(events: readonly unknown[]): UsageObject | null {
  let merged: UsageObject | null = null;
  for (const event of events) {
    const usage = usageOfEvent(event);
    if (usage !== null) merged = mergeUsage(merged, usage);
  }
  return merged;
}

/** Where an event keeps it: `message_start` inside its message, `message_delta` at the top. */
export function usageOfEvent(event: unknown): UsageObject | null {
  const payload = asObject(event);
  if (payload === null) return null;
  return asObject(payload['usage']) ?? asObject(asObject(payload['message'])?.['usage']);
}
