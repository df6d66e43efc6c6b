import { errors, type Dispatcher } from 'undici';
import type { Upstream } from './upstreams.ts';

/** Takes an upstream's answer as it comes. */
export type AnswerSink = {
  /** The request is on its way, and can be held back or given up from now on. */
  open(flow: Flow): void;
  start(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  data(chunk: Buffer): void;
};

/** Holds an upstream back, gives it up, or takes its answer for complete. */
export type Flow = { pause(): void; resume(): void; abandon(): void; complete(): void };

/** How an attempt's transport ended. Only `unreachable` and `unsigned` prove that nothing was sent, so that nothing can be billed. */
export type UpstreamEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'unreachable'; readonly error: Error }
  | { readonly kind: 'unsigned'; readonly error: Error }
  | { readonly kind: 'broken'; readonly error: Error }
  | { readonly kind: 'timeout'; readonly phase: 'first byte' | 'idle' | 'total' }
  | { readonly kind: 'abandoned' };

export type UpstreamRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a request without a body. */
  readonly body: Buffer | null;
};

class Abandoned extends Error {}
class FirstByteTimeout extends Error {}
class TotalTimeout extends Error {}

/** Sends one attempt and feeds its answer to `sink`. Never repeats anything; never rejects. */
export function forward(upstream: Upstream, request: UpstreamRequest, sink: AnswerSink): Promise<UpstreamEnd> {
  return new Promise((resolve) => {
    let sent = false;
    let firstByteTimer: NodeJS.Timeout | undefined;
    let totalTimer: NodeJS.Timeout | undefined;
    const settle = (end: UpstreamEnd): void => {
      clearTimeout(firstByteTimer);
      clearTimeout(totalTimer);
      resolve(end);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        sent = true;
        const { firstByteMs, totalMs } = upstream.timeouts;
        // Headers may come long before the first token: the timeout is about something of the answer itself.
        firstByteTimer = setTimeout(() => controller.abort(new FirstByteTimeout()), firstByteMs);
        totalTimer = setTimeout(() => controller.abort(new TotalTimeout()), totalMs);
        sink.open({
          pause: () => controller.pause(),
          resume: () => controller.resume(),
          abandon: () => controller.abort(new Abandoned()),
          complete: () => settle({ kind: 'complete' }),
        });
      },
      onResponseStart(_controller, status, headers) {
        sink.start(status, headers);
      },
      onResponseData(_controller, chunk) {
        clearTimeout(firstByteTimer);
        sink.data(chunk);
      },
      onResponseEnd() {
        settle({ kind: 'complete' });
      },
      onResponseError(_controller, error) {
        settle(classify(error, sent ? 'sent' : 'not sent'));
      },
    };
    upstream.pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
      },
      handler,
    );
  });
}

function classify(error: Error, progress: 'sent' | 'not sent'): UpstreamEnd {
  if (error instanceof Abandoned) return { kind: 'abandoned' };
  if (error instanceof TotalTimeout) return { kind: 'timeout', phase: 'total' };
  if (error instanceof FirstByteTimeout) return { kind: 'timeout', phase: 'first byte' };
  if (progress === 'not sent') return { kind: 'unreachable', error };
  if (error instanceof errors.HeadersTimeoutError) return { kind: 'timeout', phase: 'first byte' };
  if (error instanceof errors.BodyTimeoutError) return { kind: 'timeout', phase: 'idle' };
  return { kind: 'broken', error };
}
