import { hash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { TimestampMs } from '#std';
import type { EventTable } from './database.ts';
import type { Reading } from './reading.ts';
import type { AlertRule } from './rule.ts';

const said = z.object({
  rule_name: z.string(),
  type: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  sentence: z.string(),
  figures: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  window: z.object({ start: z.number(), end: z.number() }),
});

/** One crossing: a rule, a value of it, a window and a threshold. It is there once, fires, and ends once. */
export type AlertEvent = {
  readonly id: string;
  readonly ruleId: string;
  readonly instance: string;
  readonly windowId: string;
  readonly threshold: string;
  readonly state: 'firing' | 'resolved';
  readonly openedAt: TimestampMs;
  readonly resolvedAt: TimestampMs | null;
  /** As it was when it began. */
  readonly body: z.output<typeof said>;
};

/** The same on every machine and in every repetition: it decides that a crossing is told once. */
export function eventIdOf(ruleId: string, { instance, windowId, threshold }: Reading): string {
  return `ale_${hash('sha256', JSON.stringify([ruleId, instance, windowId, threshold]), 'hex').slice(0, 32)}`;
}

export function toRowEvent(
  owner: { readonly id: string; readonly rule: AlertRule },
  reading: Reading,
  now: TimestampMs,
): Selectable<EventTable> {
  const { instance, windowId, threshold, window } = reading;
  const { name, type, severity } = owner.rule;
  return {
    id: eventIdOf(owner.id, reading),
    rule_id: owner.id,
    instance,
    window_id: windowId,
    threshold,
    state: 'firing',
    opened_at: now,
    resolved_at: null,
    body: JSON.stringify({ rule_name: name, type, severity, ...reading.said, window }),
  };
}

export function fromRowEvent(row: Selectable<EventTable>): AlertEvent {
  return {
    id: row.id,
    ruleId: row.rule_id,
    instance: row.instance,
    windowId: row.window_id,
    threshold: row.threshold,
    state: row.state === 'firing' ? 'firing' : 'resolved',
    openedAt: Number(row.opened_at) as TimestampMs,
    resolvedAt: row.resolved_at === null ? null : (Number(row.resolved_at) as TimestampMs),
    body: said.parse(JSON.parse(row.body)),
  };
}

/** As the API answers it and notifications carry it. */
export function toWireEvent(event: AlertEvent): Readonly<Record<string, unknown>> {
  const { rule_name: name, type, severity, sentence, figures, window } = event.body;
  return {
    object: 'alert_event',
    id: event.id,
    rule: { id: event.ruleId, name, type },
    severity,
    state: event.state,
    value: event.instance,
    threshold: event.threshold,
    window: { id: event.windowId, start: instant(window.start), end: instant(window.end) },
    sentence,
    figures,
    opened_at: instant(event.openedAt),
    resolved_at: event.resolvedAt === null ? null : instant(event.resolvedAt),
  };
}

/** The first and the last instant of a window that has no end are none. */
export function instant(ms: number): string | null {
  return Math.abs(ms) >= 8_640_000_000_000_000 ? null : new Date(ms).toISOString();
}
