import { factsOf, type ApportionError } from '#terms';
import { writeFrame } from './frames.ts';

/** Bedrock's exceptions by status (AWS SDK 3.1163, client-bedrock-runtime). A budget is a quota: clients do not try it again. */
const EXCEPTIONS: ReadonlyMap<number, string> = new Map([
  [401, 'AccessDeniedException'],
  [402, 'ServiceQuotaExceededException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [408, 'ModelTimeoutException'],
  [409, 'ConflictException'],
  [424, 'ModelErrorException'],
  [429, 'ThrottlingException'],
  [503, 'ServiceUnavailableException'],
  [504, 'ModelTimeoutException'],
]);

/** A stream knows fewer of them, and writes them small. */
const STREAM_EXCEPTIONS: ReadonlyMap<number, string> = new Map([
  [429, 'throttlingException'],
  [503, 'serviceUnavailableException'],
  [504, 'modelTimeoutException'],
]);

/** What AWS's clients read: the exception's name in `__type`; ours beside it. */
export function toBedrockError(error: ApportionError): Readonly<Record<string, unknown>> {
  const { status, code, hint, param } = error;
  return {
    __type: EXCEPTIONS.get(status) ?? (status < 500 ? 'ValidationException' : 'InternalServerException'),
    message: messageOf(error),
    apportion: { code, hint, param, ...factsOf(error) },
  };
}

/** The frame that ends a stream which failed. */
export function bedrockErrorEvent(error: ApportionError): Buffer {
  const type =
    STREAM_EXCEPTIONS.get(error.status) ?? (error.status < 500 ? 'validationException' : 'internalServerException');
  return writeFrame('exception', type, { message: messageOf(error) });
}

function messageOf({ message, hint }: ApportionError): string {
  return hint === null ? message : `${message} ${hint}`;
}
