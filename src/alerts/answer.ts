/** What became of one attempt to deliver. */
export type Answer = {
  readonly ok: boolean;
  /** Of HTTP or SMTP; null where nobody answered. */
  readonly status: number | null;
  /** The beginning of what the receiver said, or why there is no answer. */
  readonly text: string;
  /** Whether it makes sense to try the same again. */
  readonly again: boolean;
  /** How long the receiver asks to wait. */
  readonly waitMs: number | null;
};

const ANSWER_CHARS = 500;

export function failed(text: string, again: 'again' | 'never' = 'again'): Answer {
  return { ok: false, status: null, text: text.slice(0, ANSWER_CHARS), again: again === 'again', waitMs: null };
}

/** 2xx is taken. What is wrong with the message itself stays wrong; everything else may pass. */
const NEVER = [400, 405, 410, 413, 415, 422];

export function answerOf(status: number, text: string, retryAfter: string | undefined): Answer {
  const ok = status >= 200 && status < 300;
  const said = text.slice(0, ANSWER_CHARS);
  if (status >= 300 && status < 400) {
    return { ok, status, text: 'The receiver redirects; redirects are not followed.', again: false, waitMs: null };
  }
  return { ok, status, text: said, again: !ok && !NEVER.includes(status), waitMs: waitOf(retryAfter) };
}

const MOST_WAIT_S = 3600;

function waitOf(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined || !/^\d{1,9}$/.test(retryAfter)) return null;
  return Math.min(Number(retryAfter), MOST_WAIT_S) * 1000;
}
