import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';
import type { Answer, StreamedBody, StreamEvent, WholeBody } from './dialect.ts';

/** How much of the output was handed to the connection, so far. */
export type Progress = { said: number; readonly says: number };

export function progressOf({ body }: Answer): Progress {
  return { said: 0, says: body.kind === 'stream' ? body.events.filter(({ says }) => says).length : 1 };
}

export async function deliver(
  response: ServerResponse,
  answer: Answer,
  { behaviour, progress }: { behaviour: Behaviour; progress: Progress },
): Promise<void> {
  response.writeHead(200, { 'content-type': answer.body.contentType, ...answer.headers });
  if (answer.body.kind === 'whole') return sendWhole(response, answer.body, behaviour);
  response.flushHeaders();
  if (behaviour.fault === 'reset_after_headers') return resetAfterFlush(response);
  return sendStream(response, answer.body, { behaviour, progress });
}

async function sendWhole(response: ServerResponse, { bytes }: WholeBody, behaviour: Behaviour): Promise<void> {
  if (behaviour.fault === 'reset_after_headers') {
    response.flushHeaders();
    return resetAfterFlush(response);
  }
  const cut = behaviour.fault === 'cut_mid_stream' || behaviour.fault === 'broken_json';
  if (!cut) {
    response.end(bytes);
    return;
  }
  const half = bytes.subarray(0, bytes.length / 2);
  if (behaviour.fault === 'broken_json') {
    response.end(half);
    return;
  }
  response.write(half, () => reset(response));
}

type Sending = { readonly behaviour: Behaviour; readonly progress: Progress };

async function sendStream(
  response: ServerResponse,
  body: StreamedBody,
  { behaviour, progress }: Sending,
): Promise<void> {
  for (const { bytes, says } of writesOf(body, behaviour)) {
    if (response.destroyed) return;
    if (behaviour.chunk_delay !== undefined) await wait(behaviour.chunk_delay);
    if (response.destroyed) return;
    progress.said += says;
    if (!response.write(bytes)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    else if (behaviour.framing === 'odd_bytes') await nextTurn();
  }
  if (behaviour.fault === 'stall_mid_stream') return;
  if (behaviour.fault === 'cut_mid_stream') return resetAfterFlush(response);
  response.end();
}

type Write = { readonly bytes: Buffer; readonly says: number };

const ODD_BYTES = 7;

/** Events as the bytes of separate writes; a fault leaves the second half of them away. */
function* writesOf(body: StreamedBody, behaviour: Behaviour): Generator<Write> {
  const events = behaviour.fault === undefined ? body.events : firstHalf(body, behaviour);
  const crlf = behaviour.framing === 'crlf';
  const text = (event: StreamEvent): string => {
    const whole = `${event.text}${body.end}`;
    return crlf ? whole.replaceAll(/\r?\n/g, '\r\n') : whole;
  };
  if (behaviour.framing === 'coalesced') {
    yield {
      bytes: Buffer.from(events.map(text).join(''), body.encoding),
      says: events.filter(({ says }) => says).length,
    };
    return;
  }
  for (const event of events) {
    const bytes = Buffer.from(text(event), body.encoding);
    const step = behaviour.framing === 'odd_bytes' ? ODD_BYTES : bytes.length;
    for (let start = 0; start < bytes.length; start += step) {
      yield { bytes: bytes.subarray(start, start + step), says: event.says && start === 0 ? 1 : 0 };
    }
  }
}

function firstHalf(body: StreamedBody, { fault }: Behaviour): readonly StreamEvent[] {
  const half = body.events.slice(0, Math.max(1, Math.floor(body.events.length / 2)));
  return fault === 'error_mid_stream' ? [...half, { text: body.errorEvent, says: false }] : half;
}

/** Gives the kernel a turn, so that what was written leaves before the reset throws the rest away. */
async function resetAfterFlush(response: ServerResponse): Promise<void> {
  await wait(20);
  reset(response);
}

export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
