import { type IncomingMessage } from 'node:http';
import { ApportionError } from '#terms';

export type BodyLimits = { readonly limitBytes: number; readonly timeoutMs: number };

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/**
 * The whole body of a request. Too large is known before it is read where `content-length` says so, else at the first
 * byte too many; what follows stays unread, and `sendError` then closes the connection.
 * @throws ApportionError `body_too_large` or `body_timeout`; ClientGoneError
 */
export function readBody(request: IncomingMessage, { limitBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limitBytes) return Promise.reject(tooLarge(limitBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs);
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) fail(tooLarge(limitBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes));
    };
    const onGone = (): void => fail(new ClientGoneError('the client went away before its request was complete'));
    const stop = (): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    };
    const fail = (error: Error): void => {
      stop();
      request.pause();
      reject(error);
    };
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

export function tooLarge(limitBytes: number): ApportionError {
  return new ApportionError('body_too_large', `The request body is larger than ${limitBytes} bytes.`, {
    hint: 'Send less, or raise APPORTION_MAX_BODY_BYTES.',
  });
}

function tooSlow(timeoutMs: number): ApportionError {
  return new ApportionError('body_timeout', `The request body did not arrive within ${timeoutMs} ms.`, {
    hint: 'Send it faster, or raise APPORTION_BODY_TIMEOUT_MS.',
  });
}
