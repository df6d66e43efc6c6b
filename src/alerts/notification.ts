import type { TimestampMs } from '#std';
import { instant, toWireEvent, type AlertEvent } from './event.ts';

/** One message to one channel. Said again, it is the same to the letter: receivers tell repetitions by its id. */
export type Notification = {
  readonly id: string;
  readonly at: TimestampMs;
  readonly content:
    | { readonly kind: 'firing' | 'resolved'; readonly event: AlertEvent }
    | { readonly kind: 'digest'; readonly lines: readonly DigestLine[]; readonly count: number }
    | { readonly kind: 'test' };
};

export type DigestLine = { readonly kind: 'firing' | 'resolved'; readonly event: AlertEvent };

export type Severity = AlertEvent['body']['severity'];

const WORDS = { firing: 'Alert', resolved: 'Resolved' } as const;

export function titleOf({ content }: Notification): string {
  switch (content.kind) {
    case 'firing':
    case 'resolved':
      return `${WORDS[content.kind]}: ${content.event.body.rule_name}`;
    case 'digest':
      return `${content.count} ${content.count === 1 ? 'alert' : 'alerts'}`;
    case 'test':
      return 'Test of this channel';
  }
}

export function linesOf({ content }: Notification): readonly string[] {
  switch (content.kind) {
    case 'firing':
    case 'resolved':
      return [sentenceOf(content)];
    case 'digest': {
      const more = content.count - content.lines.length;
      const lines = content.lines.map(
        (line) => `${WORDS[line.kind]}: ${line.event.body.rule_name} – ${sentenceOf(line)}`,
      );
      return more === 0 ? lines : [...lines, `and ${more} more`];
    }
    case 'test':
      return ['Apportion can reach this channel. Nothing has happened.'];
  }
}

/** The worst of what it tells of. */
export function severityOf({ content }: Notification): Severity {
  if (content.kind === 'test') return 'info';
  if (content.kind !== 'digest') return content.event.body.severity;
  const found = new Set(content.lines.map(({ event }) => event.body.severity));
  return found.has('critical') ? 'critical' : found.has('warning') ? 'warning' : 'info';
}

/** What a webhook gets. */
export function toWireNotification(notification: Notification): Readonly<Record<string, unknown>> {
  const { id, at, content } = notification;
  const head = {
    id,
    type: `alert.${content.kind}`,
    timestamp: instant(at),
    title: titleOf(notification),
    text: linesOf(notification).join('\n'),
  };
  switch (content.kind) {
    case 'firing':
    case 'resolved':
      return { ...head, data: dataOf(content) };
    case 'digest':
      return { ...head, data: { count: content.count, alerts: content.lines.map(dataOf) } };
    case 'test':
      return { ...head, data: {} };
  }
}

/** The event as it was at the time of the message: one that ended since was firing then. */
function dataOf({ kind, event }: DigestLine): Readonly<Record<string, unknown>> {
  return toWireEvent(kind === 'firing' ? { ...event, state: 'firing', resolvedAt: null } : event);
}

function sentenceOf({ kind, event }: DigestLine): string {
  return kind === 'firing' ? event.body.sentence : `No longer so: ${event.body.sentence}`;
}
