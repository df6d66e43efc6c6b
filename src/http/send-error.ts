import { type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { toOpenAiError, type ApportionError } from '#terms';

/** How long a client may go on sending a body that was refused. Closing at once would reset the connection and take the answer along. */
const LINGER_MS = 2_000;

export type ErrorAnswer = {
  readonly headers?: OutgoingHttpHeaders;
  /** The caller's dialect; OpenAI's unless said. */
  readonly envelope?: (error: ApportionError) => unknown;
};

/**
 * Answers with an error in the caller's envelope. Once an answer has begun there is no status left to send: the connection is cut,
 * so that no client takes half an answer for a whole one.
 */
export function sendError(
  response: ServerResponse,
  error: ApportionError,
  { headers = {}, envelope = toOpenAiError }: ErrorAnswer = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(JSON.stringify(envelope(error)));
  response.writeHead(error.status, {
    ...headers,
    ...error.headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'x-apportion-error': error.code,
    ...(error.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    // A client that is too slow to send is not waited for a second time.
    ...(error.code === 'body_timeout' ? { connection: 'close' } : {}),
  });
  if (!response.req.complete && error.code !== 'body_timeout') closeAfterLinger(response);
  response.end(body);
}

function closeAfterLinger(response: ServerResponse): void {
  const { req: request } = response;
  const { socket } = request;
  const timer = setTimeout(() => {
    stop();
    // Once complete, the connection may be carrying the client's next request.
    if (!request.complete) socket.destroy();
  }, LINGER_MS);
  const stop = (): void => {
    clearTimeout(timer);
    request.off('end', stop);
    socket.off('close', stop);
  };
  request.on('end', stop).resume();
  socket.on('close', stop);
}
