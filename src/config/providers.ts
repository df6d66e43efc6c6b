import { z } from 'zod';
import { findProvider, PROVIDERS, type Provider } from '#providers';
import { DIALECTS, NO_QUIRKS, type Dialect, type Quirks } from '#wires';
import { type ConfigFile } from './config-file.ts';
import { readVariable, type Environment } from './environment.ts';
import { type ConfigProblem } from './problem.ts';
import { expectedShape } from './schema-issue.ts';

export type ProviderConfig = {
  readonly name: string;
  readonly dialects: readonly Dialect[];
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Null for an upstream that asks for none. */
  readonly apiKey: string | null;
  /** The headers that sign a request in with the key. */
  readonly credentials: Provider['credentials'];
  /** Only these models; null for whatever the provider serves. */
  readonly models: readonly string[] | null;
  /** The provider whose price rows apply. */
  readonly priceAs: string;
  /** Sent with each request to this provider; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to do upstream when the client goes away: read to the usage event, or stop. */
  readonly onDisconnect: 'drain' | 'abort';
  /** How long, and for how many bytes, an answer nobody waits for is read to its usage. */
  readonly drain: { readonly maxMs: number; readonly maxBytes: number };
  /** Where it serves from, for regional prices; empty when nobody said. */
  readonly region: string;
  readonly quirks: Quirks;
};

const DRAIN = { maxMs: 60_000, maxBytes: 16 * 1024 * 1024 };

export const KNOWN_PROVIDER_NAMES = PROVIDERS.map(({ name }) => name);

// These belong to the connection or to the call; a second value would break the request.
const OWN_HEADERS = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'accept-encoding',
]);

const PROVIDER_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

const baseUrl = z.string().refine(isBaseUrl, 'an http or https address without user, query or fragment');
const word = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'one word of printable ASCII characters');

const PROVIDER_FIELDS = {
  wire: z.enum(DIALECTS).optional(),
  base_url: baseUrl.optional(),
  api_key: word.optional(),
  api_key_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')
    .optional(),
  models: z.array(z.string().trim().min(1)).min(1, 'a list with at least one model').optional(),
  price_as: z.string().regex(PROVIDER_NAME, 'the name of a provider').optional(),
  headers: z
    .record(
      z
        .string()
        .regex(HEADER_NAME, 'a header name')
        .refine((name) => !OWN_HEADERS.has(name.toLowerCase()), 'a header that Apportion does not set itself'),
      z.string().regex(HEADER_VALUE, 'printable ASCII characters'),
    )
    .optional(),
  on_disconnect: z.enum(['drain', 'abort']).optional(),
};

export const PROVIDER_KEYS = Object.keys(PROVIDER_FIELDS);

const providerSchema = z.object(PROVIDER_FIELDS);

type Read = { readonly providers: ProviderConfig[]; readonly problems: ConfigProblem[] };

/** Those of the file in its order, then those only the environment names. The order decides whose an ambiguous model is. */
export function readProviders(file: ConfigFile, env: Environment): Read {
  const fromFile = readFileProviders(file, env);
  const named = new Set(fromFile.names);
  const problems = [...fromFile.problems];
  const providers = [...fromFile.providers];
  for (const name of KNOWN_PROVIDER_NAMES) {
    if (named.has(name) || readVariable(env, `${variable(name)}_API_KEY`) === undefined) continue;
    const one = build(name, {}, { env, place: variable(name) });
    providers.push(...one.providers);
    problems.push(...one.problems);
  }
  return { providers, problems };
}

function readFileProviders(file: ConfigFile, env: Environment): Read & { readonly names: readonly string[] } {
  const value = file.value(['providers']);
  if (value === undefined) return { providers: [], problems: [], names: [] };
  if (!isRecord(value)) {
    const problem = {
      setting: `${file.place(['providers'])} "providers"`,
      what: 'this is not an object',
      fix: 'Write { "name": { … } }.',
    };
    return { providers: [], problems: [problem], names: [] };
  }
  const providers: ProviderConfig[] = [];
  const problems: ConfigProblem[] = file.strayKeys(['providers'], []);
  for (const [name, given] of Object.entries(value)) {
    const path = ['providers', name];
    const found = [...nameProblems(name, file.place(path)), ...file.strayKeys(path, PROVIDER_KEYS)];
    const parsed = providerSchema.safeParse(given);
    for (const issue of parsed.error?.issues ?? []) {
      const at = [...path, ...issue.path.map(String)];
      found.push({
        setting: `${file.place(at)} "${at.join('.')}"`,
        what: 'this value does not fit',
        fix: `It must be ${expectedShape(issue)}.`,
      });
    }
    problems.push(...found);
    if (parsed.data === undefined || found.length > 0) continue;
    const one = build(name, parsed.data, { env, place: `${file.place(path)} "${path.join('.')}"` });
    providers.push(...one.providers);
    problems.push(...one.problems);
  }
  return { providers, problems, names: Object.keys(value) };
}

function build(
  name: string,
  given: z.output<typeof providerSchema>,
  context: { env: Environment; place: string },
): Read {
  const { env, place } = context;
  const known = findProvider(name);
  const problems: ConfigProblem[] = [];
  const url = given.base_url ?? (known && readVariable(env, `${variable(name)}_BASE_URL`)) ?? known?.baseUrl ?? undefined;
  const dialects = given.wire === undefined ? known?.dialects : [given.wire];
  if (url === undefined)
    problems.push({ setting: `${place}.base_url`, what: 'the address is missing', fix: 'State "base_url".' });
  else if (!isBaseUrl(url)) {
    const fix =
      'It must be an http or https address without user, query or fragment, such as https://api.example.com/v1.';
    problems.push({ setting: `${variable(name)}_BASE_URL`, what: 'this is no usable address', fix });
  }
  if (dialects === undefined)
    problems.push({
      setting: `${place}.wire`,
      what: 'the wire format is missing',
      fix: `State "wire": one of ${DIALECTS.join(', ')}.`,
    });
  if (given.api_key !== undefined && given.api_key_env !== undefined) {
    problems.push({ setting: place, what: 'api_key and api_key_env are both set', fix: 'Keep one of them.' });
  }
  const keyName = given.api_key_env ?? (known === undefined ? undefined : `${variable(name)}_API_KEY`);
  const apiKey = given.api_key ?? (keyName === undefined ? undefined : readVariable(env, keyName));
  if (apiKey === undefined && given.api_key_env !== undefined) {
    problems.push({
      setting: `${place}.api_key_env`,
      what: `the environment has no ${given.api_key_env}`,
      fix: 'Set that variable.',
    });
  }
  if (apiKey !== undefined && !word.safeParse(apiKey).success) {
    problems.push({
      setting: keyName ?? place,
      what: 'the key cannot be sent in a header',
      fix: 'It must be one word of printable ASCII characters.',
    });
  }
  if (problems.length > 0 || url === undefined || dialects === undefined) return { providers: [], problems };
  const provider: ProviderConfig = {
    name,
    dialects,
    baseUrl: url.replace(/\/+$/, ''),
    apiKey: apiKey ?? null,
    credentials: known?.credentials ?? ((key) => ({ authorization: `Bearer ${key}` })),
    models: given.models ?? null,
    priceAs: given.price_as ?? known?.priceAs ?? name,
    headers: Object.fromEntries(Object.entries(given.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value])),
    onDisconnect: given.on_disconnect ?? known?.onDisconnect ?? 'drain',
    drain: DRAIN,
    region: '',
    quirks: known?.quirks ?? NO_QUIRKS,
  };
  return { providers: [provider], problems };
}

function variable(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function nameProblems(name: string, place: string): ConfigProblem[] {
  const setting = `${place} "providers.${name}"`;
  if (name === 'sandbox') {
    return [
      {
        setting,
        what: 'the name sandbox is taken by the built-in provider',
        fix: 'Choose another name; "sandbox": true turns the built-in one on.',
      },
    ];
  }
  if (PROVIDER_NAME.test(name)) return [];
  return [
    {
      setting,
      what: 'this is no provider name',
      fix: 'Use lower-case letters, digits, - and _, a letter first, at most 32.',
    },
  ];
}

function isBaseUrl(text: string): boolean {
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
