import * as z from 'zod/mini';

// zod otherwise probes for `eval`, which the page's content security policy reports as a violation.
z.config({ jitless: true });

const REQUEST_TIMEOUT_MS = 30_000;

const errorBody = z.object({
  error: z.object({ message: z.string(), code: z.nullish(z.string()), hint: z.nullish(z.string()) }),
});

/** An answer that is not what was asked for. `status` 0: the gateway could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

export type Params = Readonly<Record<string, string | number | undefined>>;

type Request = { readonly method?: string; readonly body?: unknown; readonly signal?: AbortSignal | undefined };

/** Reads JSON from our own origin and checks that it has the shape the dashboard was built for. */
export async function read<T>(path: string, schema: z.ZodMiniType<T>, signal?: AbortSignal): Promise<T> {
  const response = await send(path, { signal });
  const parsed = schema.safeParse(await response.json());
  if (parsed.success) return parsed.data;
  throw new ApiError(
    response.status,
    'unexpected_answer',
    `The answer of ${path} is not understood: ${z.prettifyError(parsed.error)}`,
  );
}

export async function send(path: string, request: Request = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const init: RequestInit = {
    method: request.method ?? 'GET',
    headers:
      request.body === undefined
        ? { accept: 'application/json' }
        : { accept: 'application/json', 'content-type': 'application/json' },
    credentials: 'same-origin',
    signal: request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]),
  };
  if (request.body !== undefined) init.body = JSON.stringify(request.body);
  const response = await fetch(path, init).catch((cause: unknown) => {
    if (request.signal?.aborted === true) throw cause;
    throw new ApiError(0, 'unreachable', 'The gateway did not answer.');
  });
  if (response.ok) return response;
  throw await refusal(response);
}

export function address(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  return `${path}?${query.toString()}`;
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  const parsed = errorBody.safeParse(jsonOrNull(text));
  if (!parsed.success) return new ApiError(response.status, 'http_error', `The gateway answered ${response.status}.`);
  const { message, code } = parsed.data.error;
  return new ApiError(response.status, code ?? 'http_error', message);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
