import { AsyncLocalStorage } from 'node:async_hooks';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { quoteName } from './bind.ts';
import { clusterStatements, createDatabase, serverSettings } from './cluster.ts';
import type { Connection, Engine } from './connection.ts';
import { insertText } from './insert.ts';
import { parseRows } from './json-rows.ts';
import { engineErrorName } from './rejection.ts';

/** A ClickHouse server, or one of a cluster, by its HTTP interface. */
export type ClickHouseServer = {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Made when it is missing. */
  readonly database?: string;
  /** PEM of the authority that signed the server's certificate, where the system does not know it. */
  readonly caCertificate?: string | null;
  /** Its replicas, by the name they have for themselves. */
  readonly cluster?: string | null;
  readonly requestTimeoutMs?: number;
};

const REQUEST_TIMEOUT_MS = 60_000;
/** A server that was not there is asked again after so long, however many reports are wanted meanwhile. */
const RETRY_MS = 1_000;

/**
 * The server need not be there when the engine is opened: what has to be done first (`prepare`) is done before the first
 * statement, again after each failure, and until then statements reject with what is in the way.
 */
export function clickHouseEngine(server: ClickHouseServer, clock: Clock): Engine {
  const preparing = new AsyncLocalStorage<true>();
  const threshold = new Threshold(clock);
  return {
    connect() {
      const connection = httpConnection(server);
      const ready = (): Promise<void> => (preparing.getStore() === true ? Promise.resolve() : threshold.passed());
      return {
        run: async (sql) => {
          await ready();
          await connection.run(sql);
        },
        rows: async (sql) => {
          await ready();
          return await connection.rows(sql);
        },
        insert: async (insertion) => {
          await ready();
          await connection.insert(insertion);
        },
        renew: () => connection.renew(),
        close: () => connection.close(),
      };
    },
    prepare(work) {
      threshold.task = async () => {
        await makeDatabase(server);
        await preparing.run(true, work);
      };
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** Work that has to succeed once before anything else, tried when somebody wants to pass. */
class Threshold {
  task: () => Promise<void> = () => Promise.resolve();
  readonly #clock: Clock;
  #done = false;
  #trying: Promise<void> | null = null;
  #failure: { readonly error: unknown; readonly at: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async passed(): Promise<void> {
    if (this.#done) return;
    if (this.#failure !== null && this.#clock.elapsedMs() - this.#failure.at < RETRY_MS) throw this.#failure.error;
    this.#trying ??= this.#try().finally(() => {
      this.#trying = null;
    });
    await this.#trying;
  }

  async #try(): Promise<void> {
    try {
      await this.task();
      this.#done = true;
    } catch (error) {
      this.#failure = { error, at: this.#clock.elapsedMs() };
      throw error;
    }
  }
}

/** Over a connection without a database: one that names a missing one is refused. */
async function makeDatabase(server: ClickHouseServer): Promise<void> {
  const { database } = server;
  if (database === undefined) return;
  const { database: _missing, ...rest } = server;
  const connection = httpConnection({ ...rest, database: 'default' });
  try {
    await connection.run(createDatabase(quoteName(database), server.cluster ?? null));
  } catch (error) {
    // Whoever may use a database that was made for them need not be allowed to make one.
    if (engineErrorName(error) !== 'ACCESS_DENIED') throw error;
  } finally {
    await connection.close();
  }
}

/** One line to it, without seeing to anything first. */
export function httpConnection(server: ClickHouseServer): Connection {
  const { caCertificate, cluster = null, requestTimeoutMs = REQUEST_TIMEOUT_MS, ...login } = server;
  const client = createClient({
    ...login,
    ...(caCertificate === undefined || caCertificate === null ? {} : { tls: { ca_cert: Buffer.from(caCertificate) } }),
    request_timeout: requestTimeoutMs,
    max_open_connections: 1,
    // A whole answer before its status, so that a query that fails half way does not look like one that did not.
    clickhouse_settings: { wait_end_of_query: 1, ...serverSettings(cluster) },
    // It would print whole queries, values included. What fails is told by whoever asked.
    log: { level: ClickHouseLogLevel.OFF },
  });
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw failureOf(error, server);
    }
  };
  return {
    async run(sql) {
      for (const statement of clusterStatements(sql, cluster)) await told(client.command({ query: statement }));
    },
    async rows<T>(sql: string) {
      const statements = clusterStatements(sql, cluster);
      const query = statements.pop() ?? sql;
      for (const statement of statements) await told(client.command({ query: statement }));
      const answer = await told(client.query({ query, format: 'JSONEachRow' }));
      return parseRows<T>(await told(answer.text()));
    },
    async insert(insertion) {
      await told(client.command({ query: insertText(insertion) }));
    },
    // Every answer is one of HTTP.
    renew: () => undefined,
    close: () => client.close(),
  };
}

const NAME_AND_PASSWORD = 'Look at CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.';

/** What an operator can do about errors of a server, by ClickHouse's names of them. */
const TROUBLES: Readonly<Record<string, { readonly says: string; readonly hint: string }>> = {
  AUTHENTICATION_FAILED: { says: 'does not let the user in', hint: NAME_AND_PASSWORD },
  REQUIRED_PASSWORD: { says: 'wants a password', hint: NAME_AND_PASSWORD },
  WRONG_PASSWORD: { says: 'does not let the user in', hint: NAME_AND_PASSWORD },
  UNKNOWN_USER: { says: 'does not know the user', hint: NAME_AND_PASSWORD },
  ACCESS_DENIED: {
    says: 'does not allow the user something it needs',
    hint: 'Grant it what docs/clickhouse.md lists, or look at CLICKHOUSE_USER.',
  },
  UNKNOWN_DATABASE: {
    says: 'does not have the database',
    hint: 'Make the database, or allow the user to; or look at CLICKHOUSE_DATABASE.',
  },
  CLUSTER_DOESNT_EXIST: { says: 'does not know the cluster', hint: 'Look at CLICKHOUSE_CLUSTER.' },
  TOO_MANY_SIMULTANEOUS_QUERIES: { says: 'has too much to do', hint: 'It is asked again by and by.' },
};

const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|^CERT_|ERR_TLS_/;

/**
 * An error of the server as it is when it may blame rows; else what is the matter and which setting it is about. Never a proxy's
 * page, and never the statement.
 */
function failureOf(error: unknown, { url }: ClickHouseServer): unknown {
  const host = new URL(url).host;
  const trouble = TROUBLES[engineErrorName(error)];
  if (trouble !== undefined)
    return unavailable(`The ClickHouse server at ${host} ${trouble.says}.`, trouble.hint, error);
  if (error instanceof ClickHouseError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNTRUSTED.test(code)) {
    return unavailable(
      `The certificate of the ClickHouse server at ${host} is not trusted (${code}).`,
      'Name the authority that signed it with CLICKHOUSE_CA_FILE.',
      error,
    );
  }
  const why = code === '' ? (/timeout/i.test(error.message) ? 'no answer in time' : 'no answer of ClickHouse') : code;
  return unavailable(
    `The ClickHouse server at ${host} cannot be used (${why}).`,
    'It is asked again by and by. Look at the server, and at CLICKHOUSE_URL.',
    error,
  );
}

function unavailable(message: string, hint: string, cause: unknown): ApportionError {
  return new ApportionError('ledger_unavailable', message, { hint, cause });
}
