/**
 * Every error of the world that a caller can see: code → status and OpenAI error type. One table, checked against
 * docs/errors.md in both directions.
 */
export const ERRORS = {
  body_not_json: { status: 400, type: 'invalid_request_error' },
  body_too_large: { status: 413, type: 'invalid_request_error' },
  body_timeout: { status: 408, type: 'invalid_request_error' },
  duplicate_field: { status: 400, type: 'invalid_request_error' },
  invalid_field: { status: 400, type: 'invalid_request_error' },
  invalid_tag: { status: 400, type: 'invalid_request_error' },
  reserved_tag: { status: 400, type: 'invalid_request_error' },
  tag_limit_exceeded: { status: 400, type: 'invalid_request_error' },
  invalid_entity: { status: 400, type: 'invalid_request_error' },
  invalid_query: { status: 400, type: 'invalid_request_error' },
  missing_key: { status: 401, type: 'authentication_error' },
  invalid_key: { status: 401, type: 'authentication_error' },
  key_expired: { status: 401, type: 'authentication_error' },
  key_blocked: { status: 401, type: 'authentication_error' },
  not_allowed: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  not_found: { status: 404, type: 'invalid_request_error' },
  conflict: { status: 409, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  internal_error: { status: 500, type: 'api_error' },
  upstream_unreachable: { status: 502, type: 'api_error' },
  upstream_broken: { status: 502, type: 'api_error' },
  upstream_timeout: { status: 504, type: 'api_error' },
  upstream_unauthorized: { status: 502, type: 'api_error' },
  journal_unavailable: { status: 503, type: 'api_error' },
  ledger_unavailable: { status: 503, type: 'api_error' },
  shutting_down: { status: 503, type: 'api_error' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** An error of the world: what went wrong, where, and what to do about it. */
export class ApportionError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string | null;
  /** The request field at fault, as a path (`metadata.tags[2]`). */
  readonly param: string | null;

  constructor(code: ErrorCode, message: string, detail: { hint?: string; param?: string; cause?: unknown } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'ApportionError';
    this.code = code;
    this.status = ERRORS[code].status;
    this.hint = detail.hint ?? null;
    this.param = detail.param ?? null;
  }
}

/** OpenAI's error envelope, with our `hint` beside the message. */
export function toOpenAiError(error: ApportionError): { error: Record<string, string | null> } {
  return {
    error: {
      message: error.hint === null ? error.message : `${error.message} ${error.hint}`,
      type: ERRORS[error.code].type,
      param: error.param,
      code: error.code,
      hint: error.hint,
    },
  };
}
