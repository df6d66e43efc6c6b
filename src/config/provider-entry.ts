import { nearestName } from '#std';
import { findProvider, PROVIDERS, type Provider, type SignIn } from '#providers';
import { DIALECTS, NO_QUIRKS, type Dialect, type Quirks } from '#wires';
import { readVariable, type Environment } from './environment.ts';
import { type ConfigProblem } from './problem.ts';
import { readCloud } from './provider-cloud.ts';
import { isBaseUrl, secretWord, type ProviderEntry } from './provider-fields.ts';

export type ProviderTimeouts = {
  readonly connectMs: number;
  /** From the end of the request to the first byte of the upstream's answer. */
  readonly firstByteMs: number;
  /** Between two chunks of the upstream's answer. */
  readonly idleMs: number;
  /** One attempt, start to end. */
  readonly totalMs: number;
};

export type ProviderConfig = {
  readonly name: string;
  readonly dialects: readonly Dialect[];
  /** Without a slash at the end; without a version where only Anthropic's or Gemini's dialect is spoken, as their clients add it. */
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
  /** The general ones, but for those stated for this provider. */
  readonly timeouts: ProviderTimeouts;
  /** Where it serves from, for regional prices; empty when nobody said. */
  readonly region: string;
  readonly quirks: Quirks;
  /** How it takes a wire, where that is not as the dialect says. */
  readonly host: NonNullable<Provider['host']> | null;
  /** How each request is signed in to a cloud; null where a key is enough. Holds secrets. */
  readonly signIn: SignIn | null;
  /** The names the provider knows a model by, and the one that the price list does. */
  readonly deployments: ReadonlyMap<string, string>;
  /** Whether prices go by the name in the answer, or by what was asked for alone. */
  readonly pricedBy: 'answer' | 'request';
};

/** One provider as its name, the file and the environment state it. */
export type StatedProvider = {
  readonly name: string;
  readonly entry: ProviderEntry;
  /** Where it is stated, for messages. */
  readonly place: string;
};

export type EntryContext = { readonly env: Environment; readonly timeouts: ProviderTimeouts };

const DRAIN = { maxMs: 60_000, maxBytes: 16 * 1024 * 1024 };

/** The known provider behind an entry, and the beginnings of the variables that configure it. */
type Profile = { readonly known: Provider | undefined; readonly variables: readonly string[] };

/** @returns the provider, or what keeps it from being used */
export function readProvider(
  stated: StatedProvider,
  context: EntryContext,
): { readonly provider: ProviderConfig } | { readonly problems: ConfigProblem[] } {
  const { name, entry, place } = stated;
  const profile: Profile =
    entry.preset === undefined ? profileOf(name) : { known: findProvider(entry.preset), variables: [] };
  const { known } = profile;
  const address = readAddress(stated, profile, context.env);
  const key = readKey(stated, profile, context.env);
  const dialects = entry.wire === undefined ? known?.dialects : [entry.wire];
  const problems = [...presetProblems(stated), ...address.problems, ...key.problems];
  if (dialects === undefined && entry.preset === undefined) {
    const fix = `State "wire": one of ${DIALECTS.join(', ')}; or "preset": the name of a known provider.`;
    problems.push({ setting: `${place}.wire`, what: 'the wire format is missing', fix });
  }
  if (problems.length === 0 && key.value === null && needsKey(stated, profile, address.isOwn)) {
    problems.push(keyMissing(stated, profile));
  }
  const { env } = context;
  const cloud =
    problems.length > 0
      ? NO_CLOUD
      : readCloud({ entry, place, env, baseUrl: address.url, hasKey: key.value !== null }, known);
  problems.push(...cloud.problems);
  const baseUrl = cloud.access?.baseUrl ?? address.url;
  if (problems.length > 0 || baseUrl === null || dialects === undefined) return { problems };
  const quirks = known?.quirks ?? NO_QUIRKS;
  const header = entry.reported_cost_header?.toLowerCase() ?? quirks.reportedCostHeader;
  return {
    provider: {
      name,
      dialects,
      baseUrl: withoutClientsPath(baseUrl, dialects),
      apiKey: key.value,
      // A provider that is told to speak another dialect is signed in to as that dialect's home is.
      credentials: entry.wire === undefined && known !== undefined ? known.credentials : credentialsOf(dialects),
      models: entry.models ?? null,
      priceAs: entry.price_as ?? known?.priceAs ?? name,
      headers: Object.fromEntries(
        Object.entries(entry.headers ?? {}).map(([one, value]) => [one.toLowerCase(), value]),
      ),
      onDisconnect: entry.on_disconnect ?? known?.onDisconnect ?? 'drain',
      drain: { maxMs: entry.drain?.max_ms ?? DRAIN.maxMs, maxBytes: entry.drain?.max_bytes ?? DRAIN.maxBytes },
      timeouts: mergeTimeouts(entry, context.timeouts),
      region: cloud.access?.region ?? entry.region ?? '',
      quirks: { ...quirks, reportedCostHeader: header },
      host: entry.wire === undefined ? (cloud.access?.host ?? known?.host ?? null) : null,
      signIn: cloud.access?.signIn ?? null,
      deployments: new Map(Object.entries(entry.deployments ?? {})),
      pricedBy: known?.pricedBy ?? 'answer',
    },
  };
}

const NO_CLOUD = { access: null, problems: [] } as const;

/** `OPENAI` for `openai`: what the names of its variables begin with, most usual first. */
export function variablesOf(provider: Provider): readonly string[] {
  return [provider.name, ...provider.alsoKnownAs].map((name) => name.toUpperCase().replaceAll('-', '_'));
}

/** The first of a provider's variables that is set. */
export function readFirst(
  env: Environment,
  variables: readonly string[],
): { readonly name: string; readonly value: string } | undefined {
  for (const name of variables) {
    const value = readVariable(env, name);
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

function profileOf(name: string): Profile {
  const known = findProvider(name);
  return { known, variables: known === undefined ? [] : variablesOf(known) };
}

function presetProblems({ name, entry, place }: StatedProvider): ConfigProblem[] {
  if (entry.preset === undefined) return [];
  const setting = `${place}.preset`;
  const preset = findProvider(entry.preset);
  if (preset === undefined) {
    const names = PROVIDERS.map((provider) => provider.name);
    const nearest = nearestName(entry.preset, names);
    const fix = nearest === undefined ? `Known are: ${names.join(', ')}.` : `Did you mean "${nearest}"?`;
    return [{ setting, what: `no provider is known as "${entry.preset}"`, fix }];
  }
  const own = findProvider(name);
  if (own === undefined) return [];
  const fix = own === preset ? 'Leave "preset" out.' : `Give the provider a name of your own, such as "my-${name}".`;
  return [{ setting, what: `the name ${name} is a known provider itself`, fix }];
}

type Address = { readonly url: string | null; readonly isOwn: boolean; readonly problems: ConfigProblem[] };

function readAddress({ entry, place }: StatedProvider, { known, variables }: Profile, env: Environment): Address {
  if (entry.base_url !== undefined) return { url: entry.base_url, isOwn: false, problems: [] };
  const names = variables.map((variable) => `${variable}_BASE_URL`);
  const found = readFirst(env, names);
  if (found !== undefined) {
    if (isBaseUrl(found.value)) return { url: found.value, isOwn: false, problems: [] };
    const fix =
      'It must be an http or https address without user, query or fragment, such as https://api.example.com/v1.';
    return { url: null, isOwn: false, problems: [{ setting: found.name, what: 'this is no usable address', fix }] };
  }
  if (known !== undefined && known.baseUrl !== null) return { url: known.baseUrl, isOwn: true, problems: [] };
  // A cloud's address follows from its other settings, or it says what is missing.
  if (known?.cloud !== undefined) return { url: null, isOwn: false, problems: [] };
  const fix = names[0] === undefined ? 'State "base_url".' : `State "base_url", or set ${names[0]}.`;
  return {
    url: null,
    isOwn: false,
    problems: [{ setting: `${place}.base_url`, what: 'the address is missing', fix }],
  };
}

type Key = { readonly value: string | null; readonly problems: ConfigProblem[] };

function readKey({ entry, place }: StatedProvider, { variables }: Profile, env: Environment): Key {
  const problems: ConfigProblem[] = [];
  if (entry.api_key !== undefined && entry.api_key_env !== undefined) {
    problems.push({ setting: place, what: 'api_key and api_key_env are both set', fix: 'Keep one of them.' });
  }
  const names = entry.api_key_env === undefined ? variables.map((one) => `${one}_API_KEY`) : [entry.api_key_env];
  const found = entry.api_key === undefined ? readFirst(env, names) : { name: place, value: entry.api_key };
  if (found === undefined && entry.api_key_env !== undefined) {
    const what = `the environment has no ${entry.api_key_env}`;
    problems.push({ setting: `${place}.api_key_env`, what, fix: 'Set that variable.' });
  }
  if (found !== undefined && !secretWord.safeParse(found.value).success) {
    const fix = 'It must be one word of printable ASCII characters.';
    problems.push({ setting: found.name, what: 'the key cannot be sent in a header', fix });
  }
  return { value: found?.value ?? null, problems };
}

/** At its own address a provider answers nobody without a key; another address, or a header, may need none. */
function needsKey({ entry }: StatedProvider, { known }: Profile, atOwnAddress: boolean): boolean {
  return known !== undefined && !known.keyless && atOwnAddress && entry.headers === undefined;
}

function keyMissing({ place }: StatedProvider, { variables }: Profile): ConfigProblem {
  const [variable] = variables;
  const fix = variable === undefined ? 'State "api_key_env".' : `Set ${variable}_API_KEY, or state "api_key_env".`;
  return { setting: place, what: 'the key is missing', fix };
}

/** Clients of Anthropic and Gemini add the version to the address themselves, so people write it either way. */
function withoutClientsPath(url: string, dialects: readonly Dialect[]): string {
  const address = url.replace(/\/+$/, '');
  return dialects.includes('openai') ? address : address.replace(/\/v1(?:beta)?$/, '');
}

/** A server nobody knows signs in as the home of its dialect does. */
function credentialsOf(dialects: readonly Dialect[]): Provider['credentials'] {
  const home = PROVIDERS.find((provider) => provider.dialects[0] === dialects[0]);
  return home?.credentials ?? ((key) => ({ authorization: `Bearer ${key}` }));
}

function mergeTimeouts({ timeouts }: ProviderEntry, general: ProviderTimeouts): ProviderTimeouts {
  return {
    connectMs: timeouts?.connect_ms ?? general.connectMs,
    firstByteMs: timeouts?.first_byte_ms ?? general.firstByteMs,
    idleMs: timeouts?.idle_ms ?? general.idleMs,
    totalMs: timeouts?.total_ms ?? general.totalMs,
  };
}
