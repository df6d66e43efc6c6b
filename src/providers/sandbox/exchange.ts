import type { MultipartForm } from '#wires';

export type JsonObject = Readonly<Record<string, unknown>>;

/** One request to the sandbox, and what makes its answer unlike any other. */
export type SandboxCall = {
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly bytes: Buffer;
  /** The body as JSON; null when it is none. */
  readonly body: JsonObject | null;
  /** The body as a form; null when it is none. */
  readonly form: MultipartForm | null;
  /** Hex digits for the ids of the answer. */
  readonly unique: string;
  readonly createdS: number;
};

/** An answer, in the pieces it is sent in. */
export type SandboxAnswer = {
  readonly status: number;
  readonly type: string;
  readonly pieces: readonly (string | Buffer)[];
};

export function answerJson(body: unknown, status = 200): SandboxAnswer {
  return { status, type: 'application/json', pieces: [JSON.stringify(body)] };
}

export function answerEvents(events: readonly string[]): SandboxAnswer {
  return { status: 200, type: 'text/event-stream; charset=utf-8', pieces: events };
}

/** An event as OpenAI's chat and Google send them. */
export function dataEvent(payload: unknown): string {
  return `data: ${JSON.stringify(payload)}\n\n`;
}

/** An event that also has its type's name on a line, as Anthropic and OpenAI's Responses send them. */
export function namedEvent(payload: JsonObject & { readonly type: string }): string {
  return `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`;
}

/** A refusal in OpenAI's form. */
export function refuse(message: string, status = 400): SandboxAnswer {
  return answerJson({ error: { message, type: 'invalid_request_error', param: null, code: null } }, status);
}

export function asObject(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObjects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number that is not negative, rounded down, or null. */
export function asLimit(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : null;
}

/** The text of a message, whichever way its parts are written. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return asObjects(content)
    .map((part) => asText(part['text']) || textOf(part['content']))
    .join(' ');
}

/** What stands in a field of the call's form; null when it has no such field. */
export function formField({ form, bytes }: SandboxCall, name: string): Buffer | null {
  const field = form?.fields.get(name);
  return field === undefined ? null : bytes.subarray(field.valueStart, field.valueEnd);
}
