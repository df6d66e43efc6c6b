import { z } from 'zod';
import { DIALECTS } from '#wires';

const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;
const GIB = 1024 * 1024 * 1024;

// These belong to the connection or to the call; a second value would break the request.
const OWN_HEADERS = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'accept-encoding',
]);

export const PROVIDER_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** A key that can be sent in a header. */
export const secretWord = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'one word of printable ASCII characters');

const baseUrl = z.string().refine(isBaseUrl, 'an http or https address without user, query or fragment');
const headerName = z.string().regex(HEADER_NAME, 'a header name');
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');
const milliseconds = wholeNumber(DAY_MS);

const TIMEOUT_FIELDS = {
  connect_ms: milliseconds.optional(),
  first_byte_ms: milliseconds.optional(),
  idle_ms: milliseconds.optional(),
  total_ms: milliseconds.optional(),
};

const DRAIN_FIELDS = { max_ms: wholeNumber(HOUR_MS).optional(), max_bytes: wholeNumber(GIB).optional() };

const word = z.string().trim().min(1);

/** How to sign in to a cloud. What each of them takes is said by its provider. */
const SIGN_IN_FIELDS = {
  tenant_id: word.optional(),
  client_id: word.optional(),
  client_secret_env: variableName.optional(),
  managed_identity: z.literal(true, 'true, or leave it out').optional(),
  authority: baseUrl.optional(),
  scope: word.optional(),
  profile: word.optional(),
  file: word.optional(),
};

const PROVIDER_FIELDS = {
  preset: z.string().optional(),
  wire: z.enum(DIALECTS).optional(),
  base_url: baseUrl.optional(),
  api_key: secretWord.optional(),
  api_key_env: variableName.optional(),
  models: z.array(z.string().trim().min(1)).min(1, 'a list with at least one model').optional(),
  price_as: z.string().regex(PROVIDER_NAME, 'the name of a provider').optional(),
  region: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a region as the provider writes it, such as eu or us-east-1')
    .optional(),
  deployments: z.record(z.string().trim().min(1), z.string().trim().min(1)).optional(),
  api_version: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(?:-preview)?$/, 'a version of Azure, such as 2024-10-21')
    .optional(),
  project: z
    .string()
    .regex(/^[a-z][a-z0-9:.-]{1,62}$/, 'the id of a Google Cloud project')
    .optional(),
  sign_in: z.object(SIGN_IN_FIELDS, 'an object').optional(),
  headers: z
    .record(
      headerName.refine((name) => !OWN_HEADERS.has(name.toLowerCase()), 'a header that Apportion does not set itself'),
      z.string().regex(HEADER_VALUE, 'printable ASCII characters'),
    )
    .optional(),
  reported_cost_header: headerName.optional(),
  on_disconnect: z.enum(['drain', 'abort']).optional(),
  drain: z.object(DRAIN_FIELDS, 'an object').optional(),
  timeouts: z.object(TIMEOUT_FIELDS, 'an object').optional(),
};

export const PROVIDER_KEYS = Object.keys(PROVIDER_FIELDS);
export const SIGN_IN_KEYS = Object.keys(SIGN_IN_FIELDS);
/** The keys of the objects inside a provider's entry. */
export const INNER_KEYS = {
  sign_in: SIGN_IN_KEYS,
  drain: Object.keys(DRAIN_FIELDS),
  timeouts: Object.keys(TIMEOUT_FIELDS),
};

/** One entry under `providers`, as the file states it. */
export const providerSchema = z.object(PROVIDER_FIELDS, 'an object');

export type ProviderEntry = z.output<typeof providerSchema>;

export function isBaseUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  );
}

function wholeNumber(max: number): z.ZodInt {
  const shape = `a whole number from 1 to ${max}`;
  return z.int(shape).min(1, shape).max(max, shape);
}
