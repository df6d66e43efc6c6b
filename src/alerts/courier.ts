import type { Clock } from '#std';
import { failed, type Answer } from './answer.ts';
import type { ChannelTarget } from './channel.ts';
import { createMailer, type MailSettings } from './mail.ts';
import { linesOf, severityOf, titleOf, toWireNotification, type Notification } from './notification.ts';
import { createPoster } from './post.ts';
import { signedHeaders } from './signature.ts';
import type { TargetPolicy } from './targets.ts';

export type CourierDeps = {
  readonly policy: TargetPolicy;
  /** Null: no mail can be sent. */
  readonly mail: MailSettings | null;
  readonly clock: Clock;
  /** For one attempt, from connecting to the end of the answer. */
  readonly timeoutMs: number;
};

/** Says a notification once, in the format of a channel. It never throws: what went wrong is the answer. */
export type Courier = {
  bring(notification: Notification, target: ChannelTarget): Promise<Answer>;
  close(): Promise<void>;
};

export function createCourier(deps: CourierDeps): Courier {
  const poster = createPoster(deps);
  const mailer = deps.mail === null ? null : createMailer(deps.mail, deps.timeoutMs);
  return {
    bring: async (notification, target) => {
      switch (target.kind) {
        case 'webhook': {
          const body = JSON.stringify(toWireNotification(notification));
          const headers = signedHeaders({ id: notification.id, body }, target.secret, deps.clock.now());
          return poster.post({ url: target.url, body, headers });
        }
        case 'slack':
          return poster.post({ url: target.url, body: JSON.stringify(toSlack(notification)), headers: {} });
        case 'pagerduty': {
          const body = JSON.stringify(toPagerDuty(notification, target.routingKey));
          return poster.post({ url: target.url, body, headers: {} });
        }
        case 'email': {
          if (mailer === null) return failed('This server knows no mail server (APPORTION_SMTP_URL).');
          const text = `${linesOf(notification).join('\n')}\n`;
          const subject = `[Apportion] ${titleOf(notification)}`;
          return mailer.send({ id: notification.id, to: target.to, subject, text });
        }
      }
    },
    close: async () => {
      mailer?.close();
      await poster.close();
    },
  };
}

/** Slack reads these three as markup, so a value that a caller made up could mention everybody. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function toSlack(notification: Notification): object {
  const lines = linesOf(notification).map(escapeSlack);
  return { text: [`*${escapeSlack(titleOf(notification))}*`, ...lines].join('\n') };
}

const SUMMARY_CHARS = 1024;

/** Events API v2. One incident for each event, found again by the event's id to be resolved. */
function toPagerDuty(notification: Notification, routingKey: string): object {
  const { content, id, at } = notification;
  const key = 'event' in content ? content.event.id : id;
  const head = { routing_key: routingKey, dedup_key: key };
  if (content.kind === 'resolved') return { ...head, event_action: 'resolve' };
  return {
    ...head,
    event_action: 'trigger',
    payload: {
      summary: `${titleOf(notification)} – ${linesOf(notification).join(' ')}`.slice(0, SUMMARY_CHARS),
      source: 'apportion',
      severity: severityOf(notification),
      timestamp: new Date(at).toISOString(),
      custom_details: 'event' in content ? content.event.body.figures : {},
    },
  };
}
