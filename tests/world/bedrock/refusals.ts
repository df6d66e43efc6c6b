import { randomUUID } from 'node:crypto';
import type { Refusal } from '../dialect.ts';

const EXCEPTIONS: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
};

/** Amazon names the exception in a header, and says the rest in the body. */
export function refusal(status: number, message: string): Refusal {
  const name = EXCEPTIONS[status] ?? (status < 500 ? 'ValidationException' : 'InternalServerException');
  const headers = { 'x-amzn-requestid': randomUUID(), 'x-amzn-errortype': `${name}:http://internal.amazon.com/` };
  return { status, envelope: { message }, headers };
}
