import { createTransport } from 'nodemailer';
import { failed, type Answer } from './answer.ts';

export type MailSettings = {
  /** `smtp://user:password@host:587` or `smtps://…`. A secret. */
  readonly url: string;
  readonly from: string;
};

export type Mail = {
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
};

export type Mailer = { send(mail: Mail): Promise<Answer>; close(): void };

/** SMTP answers of 5xx are for good. */
const FOR_GOOD = 500;

export function createMailer({ url, from }: MailSettings, timeoutMs: number): Mailer {
  const options = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  const transport = createTransport({ url, ...options, disableFileAccess: true, disableUrlAccess: true });
  return {
    send: async ({ id, to, subject, text }) => {
      try {
        const { accepted, rejected, response } = await transport.sendMail({
          from,
          to: [...to],
          subject: oneLine(subject),
          text,
          // Mailboxes fold repetitions by it.
          messageId: `<${id}@apportion>`,
          headers: { 'X-Apportion-Delivery': id, 'Auto-Submitted': 'auto-generated' },
        });
        const words = rejected.length === 0 ? response : `${response} Refused: ${rejected.length} of ${to.length}.`;
        return {
          ok: accepted.length > 0,
          status: codeOf(response),
          text: words.slice(0, 500),
          again: accepted.length === 0,
          waitMs: null,
        };
      } catch (error) {
        return problemOf(error);
      }
    },
    close: () => transport.close(),
  };
}

function problemOf(error: unknown): Answer {
  const status = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : Number.NaN;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
  const response = error instanceof Error && 'response' in error ? String(error.response) : `No mail server: ${code}.`;
  const answer = failed(response, status >= FOR_GOOD ? 'never' : 'again');
  return Number.isNaN(status) ? answer : { ...answer, status };
}

function codeOf(response: string): number | null {
  const code = /^\d{3}/.exec(response)?.[0];
  return code === undefined ? null : Number(code);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
