import { factsOf, type ApportionError } from '#terms';

type AnthropicError = {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly code: string;
    readonly hint: string | null;
    readonly param: string | null;
  };
  readonly request_id?: string;
};

/** Anthropic's error types by status (platform.claude.com, API errors; SDK 1.12.0, `ErrorType`). */
const TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

export function anthropicErrorType(status: number): string {
  return TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

/** Anthropic's error envelope, with our `code`, `hint` and `param` beside type and message. */
export function toAnthropicError(error: ApportionError, requestId?: string): AnthropicError {
  return {
    type: 'error',
    error: {
      type: anthropicErrorType(error.status),
      message: error.hint === null ? error.message : `${error.message} ${error.hint}`,
      code: error.code,
      hint: error.hint,
      param: error.param,
      ...factsOf(error),
    },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

/** The event that tells a caller in the midst of a stream. Anthropic's SDKs raise it. */
export function anthropicErrorEvent(error: ApportionError, requestId?: string): Buffer {
  return Buffer.from(`event: error\ndata: ${JSON.stringify(toAnthropicError(error, requestId))}\n\n`);
}
