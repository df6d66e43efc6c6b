import { z } from 'zod';
import { parseAddressSet } from '#http';
import { LIMITS } from '#terms';

/** One setting: its two names, its default, and how a value is checked. docs/configuration.md is checked against this table. */
export type Setting<T> = {
  readonly env: string;
  /** Dotted path in the configuration file; null where a file is the wrong place (secrets, the file's own name). */
  readonly file: string | null;
  readonly fallback: T;
  readonly secret: boolean;
  /** Completes "It must be …". */
  readonly shape: string;
  readonly schema: z.ZodType<T>;
  /** Environment variables are text; a file has types. */
  readonly fromText: (text: string) => unknown;
};

const DAY_MS = 24 * 60 * 60 * 1000;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const NOBODY: readonly string[] = [];

export const SETTINGS = {
  port: wholeNumber({ env: 'APPORTION_PORT', file: 'port', fallback: 4000 }, { min: 0, max: 65_535 }),
  host: text({ env: 'APPORTION_HOST', file: 'host', fallback: '127.0.0.1' }),
  dataDir: text({ env: 'APPORTION_DATA_DIR', file: 'data_dir', fallback: './data' }),
  trustedProxies: {
    env: 'APPORTION_TRUSTED_PROXIES',
    file: 'trusted_proxies',
    fallback: NOBODY,
    secret: false,
    shape: 'addresses and ranges such as 10.0.0.0/8, a list in the file, commas between them in the variable',
    schema: z.array(z.string()).refine((addresses) => 'has' in parseAddressSet(addresses)),
    fromText: (value) => value.split(',').map((address) => address.trim()),
  } satisfies Setting<readonly string[]>,
  logLevel: word({ env: 'APPORTION_LOG_LEVEL', file: 'log_level', fallback: 'info' }, LOG_LEVELS),
  sandbox: {
    env: 'APPORTION_SANDBOX',
    file: 'sandbox',
    fallback: 'auto',
    secret: false,
    shape: '"auto", true or false',
    schema: z.union([z.literal('auto'), z.boolean()]),
    fromText: (value) => (value === 'true' ? true : value === 'false' ? false : value),
  } satisfies Setting<'auto' | boolean>,
  budgetStatus: {
    env: 'APPORTION_BUDGET_STATUS',
    file: 'budget_status',
    fallback: 402,
    secret: false,
    shape: '402, 400, 403 or 429',
    schema: z.literal([402, 400, 403, 429]),
    fromText: (value) => (/^\d{3}$/.test(value) ? Number(value) : value),
  } satisfies Setting<402 | 400 | 403 | 429>,
  failOpen: yesOrNo({ env: 'APPORTION_FAIL_OPEN', file: 'fail_open', fallback: false }),
  journalSegmentBytes: wholeNumber(
    {
      env: 'APPORTION_JOURNAL_SEGMENT_BYTES',
      file: 'journal.segment_bytes',
      fallback: LIMITS.journalSegmentBytes,
    },
    { min: 64 * 1024, max: 4 * 1024 * 1024 * 1024 },
  ),
  journalCompress: yesOrNo({ env: 'APPORTION_JOURNAL_COMPRESS', file: 'journal.compress', fallback: true }),
  journalRetentionDays: wholeNumber(
    { env: 'APPORTION_JOURNAL_RETENTION_DAYS', file: 'journal.retention_days', fallback: 0 },
    { min: 0, max: 36_500 },
  ),
  storeRetentionDays: wholeNumber(
    { env: 'APPORTION_STORE_RETENTION_DAYS', file: 'store.retention_days', fallback: 0 },
    { min: 0, max: 36_500 },
  ),
  redisUrl: {
    env: 'REDIS_URL',
    file: null,
    fallback: null,
    secret: true,
    shape: 'the redis:// or rediss:// address of a server',
    schema: z.url({ protocol: /^rediss?$/ }),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  clickHouseUrl: {
    env: 'CLICKHOUSE_URL',
    file: 'clickhouse.url',
    fallback: null,
    // Not one itself, but a wrong one may have a password in it.
    secret: true,
    shape: 'the http:// or https:// address of a server, without user, path and query (CLICKHOUSE_USER, …)',
    schema: z.string().refine(isBareAddress),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  clickHouseUser: text({ env: 'CLICKHOUSE_USER', file: 'clickhouse.user', fallback: 'default' }),
  clickHousePassword: {
    env: 'CLICKHOUSE_PASSWORD',
    file: null,
    fallback: null,
    secret: true,
    shape: 'a text',
    schema: z.string(),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  clickHouseDatabase: name({ env: 'CLICKHOUSE_DATABASE', file: 'clickhouse.database', fallback: 'apportion' }),
  clickHouseCaFile: {
    env: 'CLICKHOUSE_CA_FILE',
    file: 'clickhouse.ca_file',
    fallback: null,
    secret: false,
    shape: 'the path of a file',
    schema: z.string().trim().min(1),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  clickHouseCluster: name<string | null>({ env: 'CLICKHOUSE_CLUSTER', file: 'clickhouse.cluster', fallback: null }),
  maxBodyBytes: wholeNumber(
    { env: 'APPORTION_MAX_BODY_BYTES', file: 'max_body_bytes', fallback: LIMITS.requestBodyBytes },
    { min: 1024, max: 1024 * 1024 * 1024 },
  ),
  headersTimeoutMs: milliseconds({
    env: 'APPORTION_HEADERS_TIMEOUT_MS',
    file: 'timeouts.headers_ms',
    fallback: 30_000,
  }),
  bodyTimeoutMs: milliseconds({ env: 'APPORTION_BODY_TIMEOUT_MS', file: 'timeouts.body_ms', fallback: 60_000 }),
  connectTimeoutMs: milliseconds({
    env: 'APPORTION_CONNECT_TIMEOUT_MS',
    file: 'timeouts.connect_ms',
    fallback: 10_000,
  }),
  firstByteTimeoutMs: milliseconds({
    env: 'APPORTION_FIRST_BYTE_TIMEOUT_MS',
    file: 'timeouts.first_byte_ms',
    fallback: 600_000,
  }),
  idleTimeoutMs: milliseconds({ env: 'APPORTION_IDLE_TIMEOUT_MS', file: 'timeouts.idle_ms', fallback: 300_000 }),
  totalTimeoutMs: milliseconds({ env: 'APPORTION_TOTAL_TIMEOUT_MS', file: 'timeouts.total_ms', fallback: 3_600_000 }),
  shutdownTimeoutMs: milliseconds({
    env: 'APPORTION_SHUTDOWN_TIMEOUT_MS',
    file: 'timeouts.shutdown_ms',
    fallback: 30_000,
  }),
  batchPollSeconds: wholeNumber(
    { env: 'APPORTION_BATCH_POLL_SECONDS', file: 'batches.poll_seconds', fallback: 300 },
    { min: 0, max: 86_400 },
  ),
  alertsAllowPrivateTargets: yesOrNo({
    env: 'APPORTION_ALERTS_ALLOW_PRIVATE_TARGETS',
    file: 'alerts.allow_private_targets',
    fallback: false,
  }),
  alertsAllowedHosts: {
    env: 'APPORTION_ALERTS_ALLOWED_HOSTS',
    file: 'alerts.allowed_hosts',
    fallback: NOBODY,
    secret: false,
    shape: 'names of hosts such as hooks.intern, a list in the file, commas between them in the variable',
    schema: z.array(z.string().regex(/^[\w.[\]:-]+$/)),
    fromText: (value) => value.split(',').map((host) => host.trim()),
  } satisfies Setting<readonly string[]>,
  smtpUrl: {
    env: 'APPORTION_SMTP_URL',
    file: null,
    fallback: null,
    secret: true,
    shape: 'an address such as smtp://user:password@mail.example.com:587, or smtps://…',
    schema: z.string().regex(/^smtps?:\/\/[^\s/]+/),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  mailFrom: {
    env: 'APPORTION_MAIL_FROM',
    file: 'alerts.mail_from',
    fallback: null,
    secret: false,
    shape: 'a sender such as Apportion <apportion@example.com>',
    schema: z.string().regex(/@/),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  adminKey: {
    env: 'APPORTION_ADMIN_KEY',
    file: null,
    fallback: null,
    secret: true,
    shape: 'one word of printable ASCII characters, at most 256',
    // Anything else could not be sent in an Authorization header.
    schema: z.string().regex(/^[\x21-\x7e]{1,256}$/),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
  configFile: {
    env: 'APPORTION_CONFIG',
    file: null,
    fallback: null,
    secret: false,
    shape: 'the path of a file',
    schema: z.string(),
    fromText: (value) => value,
  } satisfies Setting<string | null>,
};

type Names<T> = { readonly env: string; readonly file: string; readonly fallback: T };

function wholeNumber(names: Names<number>, range: { min: number; max: number }): Setting<number> {
  return {
    ...names,
    secret: false,
    shape: `a whole number from ${range.min} to ${range.max}`,
    schema: z.int().min(range.min).max(range.max),
    fromText: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : value),
  };
}

function yesOrNo(names: Names<boolean>): Setting<boolean> {
  return {
    ...names,
    secret: false,
    shape: 'true or false',
    schema: z.boolean(),
    fromText: (value) => (value === 'true' ? true : value === 'false' ? false : value),
  };
}

function milliseconds(names: Names<number>): Setting<number> {
  return wholeNumber(names, { min: 1, max: DAY_MS });
}

function text(names: Names<string>): Setting<string> {
  return {
    ...names,
    secret: false,
    shape: 'a text that is not empty',
    schema: z.string().trim().min(1),
    fromText: (value) => value,
  };
}

/** Of a database or a cluster: it stands in statements, so it is one word. */
function name<T extends string | null>(names: Names<T>): Setting<T | string> {
  return {
    ...names,
    secret: false,
    shape: 'a name of letters, digits, _ and -, at most 64',
    schema: z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/),
    fromText: (value) => value,
  };
}

/** User and password in an address would stand in logs. */
function isBareAddress(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === '';
}

function word<const W extends string>(names: Names<NoInfer<W>>, words: readonly W[]): Setting<W> {
  return {
    ...names,
    secret: false,
    shape: `one of ${words.join(', ')}`,
    schema: z.enum(words),
    fromText: (value) => value,
  };
}
