/**
 * Every error of the world that a caller can see: code → status and OpenAI error type. One table, checked against
 * docs/errors.md in both directions.
 */
export const ERRORS = {
  body_not_json: { status: 400, type: 'invalid_request_error' },
  body_too_large: { status: 413, type: 'invalid_request_error' },
  body_timeout: { status: 408, type: 'invalid_request_error' },
  unsupported_encoding: { status: 415, type: 'invalid_request_error' },
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
  budget_exceeded: { status: 402, type: 'budget_exceeded' },
  rate_limited: { status: 429, type: 'rate_limit_exceeded' },
  not_allowed: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  no_matching_deployment: { status: 400, type: 'invalid_request_error' },
  not_found: { status: 404, type: 'invalid_request_error' },
  conflict: { status: 409, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  internal_error: { status: 500, type: 'api_error' },
  upstream_unreachable: { status: 502, type: 'api_error' },
  upstream_broken: { status: 502, type: 'api_error' },
  upstream_timeout: { status: 504, type: 'api_error' },
  upstream_unauthorized: { status: 502, type: 'api_error' },
  budgets_unavailable: { status: 503, type: 'api_error' },
  journal_unavailable: { status: 503, type: 'api_error' },
  ledger_unavailable: { status: 503, type: 'api_error' },
  shutting_down: { status: 503, type: 'api_error' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorFacts = {
  readonly about: 'budget' | 'limit';
  readonly fields: Readonly<Record<string, string | null>>;
};

type ErrorDetail = {
  readonly hint?: string;
  readonly param?: string;
  readonly cause?: unknown;
  /** Where an operator wants another one than the table's. */
  readonly status?: number;
  readonly facts?: ErrorFacts;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An error of the world: what went wrong, where, and what to do about it. */
export class ApportionError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string | null;
  /** The request field at fault, as a path (`metadata.tags[2]`). */
  readonly param: string | null;
  /** The message in fields, for programs. */
  readonly facts: ErrorFacts | null;
  /** Answer headers that belong to it. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'ApportionError';
    this.code = code;
    this.status = detail.status ?? ERRORS[code].status;
    this.hint = detail.hint ?? null;
    this.param = detail.param ?? null;
    this.facts = detail.facts ?? null;
    this.headers = detail.headers ?? {};
  }
}

/** OpenAI's error envelope, with our `hint` beside the message. */
export function toOpenAiError(error: ApportionError): { error: Record<string, unknown> } {
  return {
    error: {
      message: error.hint === null ? error.message : `${error.message} ${error.hint}`,
      type: ERRORS[error.code].type,
      param: error.param,
      code: error.code,
      hint: error.hint,
      ...factsOf(error),
    },
  };
}

/** What a refusal says in fields, under the name of what refused: `budget` or `limit`. */
export function factsOf({ facts }: ApportionError): Readonly<Record<string, Readonly<Record<string, string | null>>>> {
  return facts === null ? {} : { [facts.about]: facts.fields };
}
