import type { ApportionError } from '#terms';

/** Google's names of failures (google.rpc.Code) by HTTP status. */
const STATUS_NAMES: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [402, 'FAILED_PRECONDITION'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [405, 'UNIMPLEMENTED'],
  [408, 'DEADLINE_EXCEEDED'],
  [409, 'ABORTED'],
  [413, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

type GeminiError = {
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly status: string;
    readonly details: readonly Readonly<Record<string, unknown>>[];
  };
};

export function geminiStatusName(status: number): string {
  return STATUS_NAMES.get(status) ?? (status < 500 ? 'FAILED_PRECONDITION' : 'INTERNAL');
}

/** Google's error envelope, with our code, field and hint as `google.rpc.ErrorInfo`. */
export function toGeminiError(error: ApportionError): GeminiError {
  return {
    error: {
      code: error.status,
      message: error.hint === null ? error.message : `${error.message} ${error.hint}`,
      status: geminiStatusName(error.status),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: error.code.toUpperCase(),
          domain: 'apportion',
          metadata: {
            code: error.code,
            ...(error.param === null ? {} : { param: error.param }),
            ...(error.hint === null ? {} : { hint: error.hint }),
            ...factTexts(error),
          },
        },
      ],
    },
  };
}

/** Google's metadata has only texts. */
function factTexts({ facts }: ApportionError): Readonly<Record<string, string>> {
  const fields = Object.entries(facts?.fields ?? {});
  return Object.fromEntries(fields.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** The event that ends a stream which failed: Google's SDK raises it as an `ApiError`. */
export function geminiErrorEvent(error: ApportionError): Buffer {
  return Buffer.from(`data: ${JSON.stringify(toGeminiError(error))}\n\n`);
}
