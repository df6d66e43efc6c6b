import type { Received, Refusal, Stock } from '../dialect.ts';
import { contentText, objectsOf, parseObject, type Fields } from '../json-fields.ts';
import type { ServedModel } from '../price-list.ts';
import { GEMINI_MODELS } from './models.ts';

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

/** Google's error envelope. */
export function refusal(code: number, message: string): Refusal {
  return { status: code, envelope: { error: { code, message, status: STATUSES[code] ?? 'UNKNOWN' } } };
}

/** A wrong key is a 400 at Google, a missing one a 403. */
export function checkKey({ headers, query }: Received, apiKey: string): Refusal | undefined {
  const key = headers['x-goog-api-key'] ?? query.get('key');
  if (key === null) {
    const message =
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
    return refusal(403, message);
  }
  return key === apiKey ? undefined : refusal(400, 'API key not valid. Please pass a valid API key.');
}

/** Google takes every name in camel and in snake case; what it does not know it refuses by name. */
export function readFields(received: Received, known: ReadonlySet<string>): { readonly fields: Fields } | Refusal {
  const parsed = parseObject(received.body.toString('utf8'));
  if (parsed === undefined) return refusal(400, 'Invalid JSON payload received. Unexpected token.');
  return readNames(parsed, { known, at: '' });
}

export function readNames(
  given: Fields,
  { known, at }: { known: ReadonlySet<string>; at: string },
): { readonly fields: Fields } | Refusal {
  const fields: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(given)) {
    const name = written.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!known.has(name)) {
      const where = at === '' ? '' : ` at '${at}'`;
      return refusal(400, `Invalid JSON payload received. Unknown name "${written}"${where}: Cannot find field.`);
    }
    fields[name] = value;
  }
  return { fields };
}

export type Chosen = { readonly model: string; readonly served: ServedModel };

/** `/v1beta/models/{model}:{action}` */
export const TARGET = /^\/v1(?:beta|alpha)?\/models\/([^/:]+):([A-Za-z]+)$/;

export function chooseModel(received: Received, { stock, serves }: { stock: Stock; serves: string }): Chosen | Refusal {
  const model = decodeURIComponent(TARGET.exec(received.path)?.[1] ?? '');
  const served = { ...GEMINI_MODELS, ...stock.models }[model];
  if (served !== undefined && (served.serves ?? 'generateContent') === serves) return { model, served };
  return refusal(
    404,
    `models/${model} is not found for API version v1beta, or is not supported for ${serves}. Call ListModels to see the list of available models and their supported methods.`,
  );
}

/** What the user wrote last; contents without a role are the user's. */
export function lastUserText(contents: unknown): string {
  return contentText(objectsOf(contents).findLast(({ role }) => role === undefined || role === 'user')?.['parts']);
}
