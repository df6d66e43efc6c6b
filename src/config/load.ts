import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearestName } from '#std';
import { readClickHouse, type ClickHouseConfig } from './clickhouse.ts';
import { NO_FILE, parseConfigFile, type ConfigFile } from './config-file.ts';
import { readVariable, type Environment } from './environment.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import { withModelList } from './model-list.ts';
import { readOidc, type OidcConfig } from './oidc.ts';
import { readPrices, type PricesConfig } from './prices.ts';
import { type ProviderConfig, type ProviderTimeouts } from './provider-entry.ts';
import { readProviders } from './providers.ts';
import { readRouting } from './read-routing.ts';
import { type RoutingConfig } from './routing.ts';
import { SETTINGS, type LogLevel, type Setting } from './settings.ts';
import { readTags, type TagsConfig } from './tags.ts';

export type Config = {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Addresses and ranges whose `x-forwarded-for` is believed. */
  readonly trustedProxies: readonly string[];
  /** Null: one is made on first start. */
  readonly adminKey: string | null;
  readonly logLevel: LogLevel;
  /** Calls go on unrecorded while the journal cannot write. */
  readonly failOpen: boolean;
  /** HTTP status of a refusal by a budget. */
  readonly budgetStatus: number;
  readonly journal: JournalConfig;
  readonly store: StoreConfig;
  /** Null: no other node spends the same budgets. */
  readonly redisUrl: string | null;
  /** Null: the store is in the data directory. */
  readonly clickHouse: ClickHouseConfig | null;
  readonly limits: { readonly maxBodyBytes: number };
  readonly timeouts: ProviderTimeouts & {
    /** The client sending its request's headers. */
    readonly headersMs: number;
    /** The client sending its whole request body. */
    readonly bodyMs: number;
    /** From SIGTERM to exit. */
    readonly shutdownMs: number;
  };
  readonly providers: readonly ProviderConfig[];
  /** Whether the built-in provider without cost answers. `auto` is resolved: only when nothing else is configured. */
  readonly sandbox: boolean;
  readonly routing: RoutingConfig;
  readonly tags: TagsConfig;
  readonly prices: PricesConfig;
  /** Null: nobody signs in elsewhere. */
  readonly oidc: OidcConfig | null;
  readonly alerts: AlertsConfig;
  /** How often a provider is asked about a batch whose results are not in; 0 for never. */
  readonly batches: { readonly pollMs: number };
  /** Harmless oddities, for the log. */
  readonly warnings: readonly string[];
};

/** The files of the ledger of record. */
export type JournalConfig = {
  /** A file that is larger is followed by the next one. */
  readonly segmentBytes: number;
  readonly compress: boolean;
  /** Null: they are kept for ever. */
  readonly retentionDays: number | null;
};

/** What reports are made of. */
export type StoreConfig = {
  /** How long which call an entry was of, and how its cost came about, is kept. Null: for ever. */
  readonly retentionDays: number | null;
};

/** Where notifications may go, and the mail server that takes them. */
export type AlertsConfig = {
  /** Receivers may be inside the own network. */
  readonly allowPrivateTargets: boolean;
  /** Hosts that may be anywhere. */
  readonly allowedHosts: readonly string[];
  /** Null: no mail is sent. */
  readonly mail: { readonly url: string; readonly from: string } | null;
};

export type ConfigSources = { readonly env: Environment; readonly readFile: (path: string) => string };

/** The only place where the server reads its environment. @throws ConfigError that lists every problem at once */
export function loadConfig(sources: Partial<ConfigSources> = {}): Config {
  const env = sources.env ?? process.env;
  const readFile = sources.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const problems: ConfigProblem[] = [];
  const { file, problems: listProblems } = withModelList(openFile(env, { readFile, problems }));
  problems.push(...listProblems);
  const read = <T>(setting: Setting<T>): T => readSetting(setting, { env, file, problems });
  const timeouts = readTimeouts(read);
  const { providers, names, problems: providerProblems } = readProviders(file, { env, timeouts });
  problems.push(...providerProblems);
  const { tags, problems: tagProblems } = readTags(file);
  const { prices, problems: priceProblems } = readPrices(file);
  const { oidc, problems: oidcProblems } = readOidc(file, env);
  problems.push(...tagProblems, ...priceProblems, ...oidcProblems);
  const port = read(SETTINGS.port);
  const stated = read(SETTINGS.sandbox);
  const sandbox = stated === 'auto' ? names.length === 0 : stated;
  const { routing, problems: routingProblems } = readRouting(file, {
    providers,
    names: sandbox ? [...names, 'sandbox'] : names,
  });
  const { clickHouse, problems: clickHouseProblems } = readClickHouse({ read, readFile });
  problems.push(...routingProblems, ...clickHouseProblems);
  const config: Config = {
    port,
    host: read(SETTINGS.host),
    dataDir: resolve(read(SETTINGS.dataDir)),
    trustedProxies: read(SETTINGS.trustedProxies),
    adminKey: read(SETTINGS.adminKey),
    logLevel: read(SETTINGS.logLevel),
    failOpen: read(SETTINGS.failOpen),
    budgetStatus: read(SETTINGS.budgetStatus),
    journal: readJournal(read),
    store: readStore(read, clickHouse, problems),
    redisUrl: read(SETTINGS.redisUrl),
    clickHouse,
    limits: { maxBodyBytes: read(SETTINGS.maxBodyBytes) },
    timeouts: {
      headersMs: read(SETTINGS.headersTimeoutMs),
      bodyMs: read(SETTINGS.bodyTimeoutMs),
      ...timeouts,
      shutdownMs: read(SETTINGS.shutdownTimeoutMs),
    },
    providers,
    sandbox,
    routing,
    tags,
    prices,
    oidc,
    alerts: readAlerts(read, problems),
    batches: { pollMs: read(SETTINGS.batchPollSeconds) * 1000 },
    warnings: misspeltVariables(env),
  };
  problems.push(...providers.filter((provider) => pointsAt(provider, port)).map(loopProblem));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readTimeouts(read: (setting: Setting<number>) => number): ProviderTimeouts {
  return {
    connectMs: read(SETTINGS.connectTimeoutMs),
    firstByteMs: read(SETTINGS.firstByteTimeoutMs),
    idleMs: read(SETTINGS.idleTimeoutMs),
    totalMs: read(SETTINGS.totalTimeoutMs),
  };
}

function readJournal(read: <T>(setting: Setting<T>) => T): JournalConfig {
  const retentionDays = read(SETTINGS.journalRetentionDays);
  return {
    segmentBytes: read(SETTINGS.journalSegmentBytes),
    compress: read(SETTINGS.journalCompress),
    retentionDays: retentionDays === 0 ? null : retentionDays,
  };
}

function readStore(
  read: <T>(setting: Setting<T>) => T,
  clickHouse: ClickHouseConfig | null,
  problems: ConfigProblem[],
): StoreConfig {
  const { storeRetentionDays } = SETTINGS;
  const days = read(storeRetentionDays);
  if (days > 0 && clickHouse !== null) {
    problems.push({
      setting: storeRetentionDays.env,
      what: 'it is about the store in the data directory, and the store is on a ClickHouse server',
      fix: `Leave it out, or leave out ${SETTINGS.clickHouseUrl.env}.`,
    });
  }
  return { retentionDays: days === 0 ? null : days };
}

/** A mail server is nothing without a sender: most refuse mail from nobody. */
function readAlerts(read: <T>(setting: Setting<T>) => T, problems: ConfigProblem[]): AlertsConfig {
  const [url, from] = [read(SETTINGS.smtpUrl), read(SETTINGS.mailFrom)];
  if (url !== null && from === null) {
    const fix = `Set ${SETTINGS.mailFrom.env}, or ${SETTINGS.mailFrom.file} in the file.`;
    problems.push({ setting: SETTINGS.smtpUrl.env, what: 'there is a mail server and no sender', fix });
  }
  return {
    allowPrivateTargets: read(SETTINGS.alertsAllowPrivateTargets),
    allowedHosts: read(SETTINGS.alertsAllowedHosts),
    mail: url === null || from === null ? null : { url, from },
  };
}

function openFile(
  env: Environment,
  deps: { readFile: ConfigSources['readFile']; problems: ConfigProblem[] },
): ConfigFile {
  const path = readVariable(env, SETTINGS.configFile.env);
  if (path === undefined) return NO_FILE;
  const text = readText(path, deps);
  if (text === undefined) return NO_FILE;
  const file = parseConfigFile(path, text);
  if ('problems' in file) {
    deps.problems.push(...file.problems);
    return NO_FILE;
  }
  deps.problems.push(
    ...['', 'timeouts', 'journal', 'clickhouse', 'alerts', 'batches'].flatMap((section) =>
      file.strayKeys(section === '' ? [] : [section], keysUnder(section)),
    ),
  );
  return file;
}

function readText(
  path: string,
  deps: { readFile: ConfigSources['readFile']; problems: ConfigProblem[] },
): string | undefined {
  try {
    // A byte order mark is no part of JSON, but editors write it.
    return deps.readFile(path).replace(/^\uFEFF/, '');
  } catch (error) {
    const what = `the file ${path} cannot be read (${error instanceof Error ? error.message : String(error)})`;
    deps.problems.push({
      setting: SETTINGS.configFile.env,
      what,
      fix: 'Name a file that exists, or unset the variable.',
    });
    return undefined;
  }
}

/** The environment wins over the file, the file over the default. */
function readSetting<T>(
  setting: Setting<T>,
  sources: { env: Environment; file: ConfigFile; problems: ConfigProblem[] },
): T {
  const path = setting.file?.split('.') ?? [];
  const variable = readVariable(sources.env, setting.env);
  const given =
    variable === undefined ? (path.length === 0 ? undefined : sources.file.value(path)) : setting.fromText(variable);
  if (given === undefined) return setting.fallback;
  const parsed = setting.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const name = variable === undefined ? `${sources.file.place(path)} "${setting.file}"` : setting.env;
  const what = setting.secret ? 'this value cannot be used' : `${JSON.stringify(given)} cannot be used`;
  sources.problems.push({
    setting: name,
    what,
    fix: `It must be ${setting.shape}.${serviceLinkHint(setting.env, variable)}`,
  });
  return setting.fallback;
}

/** Kubernetes gives every pod such variables for a Service of that name. */
function serviceLinkHint(name: string, value: string | undefined): string {
  if (value === undefined || !value.startsWith('tcp://')) return '';
  return ` Kubernetes sets ${name} like this for a Service named apportion: set enableServiceLinks: false in the pod, or ${name} itself.`;
}

/** What the file holds beside the settings that variables state as well. */
const SECTIONS = [
  'providers',
  'models',
  'model_list',
  'tag_routing',
  'router_settings',
  'retries',
  'cooldown',
  'tags',
  'prices',
  'oidc',
];

function keysUnder(parent: string): string[] {
  const prefix = parent === '' ? '' : `${parent}.`;
  const below = Object.values(SETTINGS).flatMap(({ file }) =>
    file !== null && file.startsWith(prefix) ? [file.slice(prefix.length).split('.', 1)[0] ?? file] : [],
  );
  return [...new Set(parent === '' ? [...below, ...SECTIONS] : below)];
}

/** Only a warning: other programs may own a variable that merely looks like one of ours. */
function misspeltVariables(env: Environment): string[] {
  const known = Object.values(SETTINGS).map((setting) => setting.env);
  return Object.keys(env).flatMap((name) => {
    if (!/^APPORTION_/i.test(name) || known.includes(name)) return [];
    const nearest = nearestName(name.toUpperCase(), known);
    return nearest === undefined ? [] : [`${name} is not a setting. Did you mean ${nearest}?`];
  });
}

function pointsAt(provider: ProviderConfig, port: number): boolean {
  const url = new URL(provider.baseUrl);
  return port !== 0 && url.port === String(port) && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}

function loopProblem(provider: ProviderConfig): ConfigProblem {
  return {
    setting: `provider ${provider.name}`,
    what: `its address ${provider.baseUrl} is this gateway itself`,
    fix: 'Calls would go round for ever: give the address of the provider (OPENAI_BASE_URL is often set for applications).',
  };
}
