import { Agent, request } from 'undici';
import { answerOf, failed, type Answer } from './answer.ts';
import { guardedLookup, isRefused, TargetRefused, type TargetPolicy } from './targets.ts';

export type Post = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Poster = { post(message: Post): Promise<Answer>; close(): Promise<void> };

/** More of an answer is not read. */
const ANSWER_BYTES = 2048;

/** Sends JSON to receivers that anybody may have named: never inside the own network, never on to where an answer points. */
export function createPoster({
  policy,
  timeoutMs,
}: {
  readonly policy: TargetPolicy;
  readonly timeoutMs: number;
}): Poster {
  const agent = new Agent({
    connect: { lookup: guardedLookup(policy), timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: -1,
    // A receiver is told something now and then; a kept connection would only break in between.
    pipelining: 0,
  });
  return {
    post: async (message) => {
      try {
        return await post(message, { agent, policy, timeoutMs });
      } catch (error) {
        return failed(wordsOf(error, timeoutMs), error instanceof TargetRefused ? 'never' : 'again');
      }
    },
    close: () => agent.destroy(),
  };
}

async function post(
  { url, headers, body }: Post,
  { agent, policy, timeoutMs }: { readonly agent: Agent; readonly policy: TargetPolicy; readonly timeoutMs: number },
): Promise<Answer> {
  // The operator may have changed what is allowed since the channel was made; an IP address is never resolved.
  if (isRefused(new URL(url), policy)) throw new TargetRefused(new URL(url).hostname);
  const answer = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'Apportion-Alerts', ...headers },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await beginningOf(answer.body);
  const retryAfter = answer.headers['retry-after'];
  return answerOf(answer.statusCode, text, typeof retryAfter === 'string' ? retryAfter : undefined);
}

async function beginningOf(body: AsyncIterable<Uint8Array> & { destroy(): unknown }): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= ANSWER_BYTES) break;
  }
  body.destroy();
  return Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString('utf8');
}

/** Without the address, which may be a secret. */
function wordsOf(error: unknown, timeoutMs: number): string {
  if (error instanceof TargetRefused) return 'The address is inside the own network, where notifications are not sent.';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError' || /TIMEOUT/.test(code)) return `No answer within ${timeoutMs} ms.`;
  return `No answer: ${code === '' ? name : code}.`;
}
