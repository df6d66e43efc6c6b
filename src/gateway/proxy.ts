import type { IncomingMessage, ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { clientAddress, parseTarget, sendError, type AddressSet } from '#http';
import type { Log } from '#observe';
import { ApportionError } from '#terms';

/** Hop-by-hop headers (RFC 9110, section 7.6.1) and those that this hop sets itself. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
  'expect',
]);

const ADMIN_TIMEOUT_MS = 120_000;
/** A start of the ledger process is waited out, also on a busy machine: a late report is better than an error. */
const STARTING_MS = 20_000;

export type ProxyOptions = {
  readonly socketPath: string;
  readonly untilServing: (timeoutMs: number) => Promise<boolean>;
  /** Whose word about where a request comes from is taken. */
  readonly trustedProxies: AddressSet;
  readonly log: Log;
};

/** Hands everything that is not a call to the ledger process: analytics, keys, dashboard. */
export class LedgerProxy {
  readonly #pool: Pool;
  readonly #untilServing: (timeoutMs: number) => Promise<boolean>;
  readonly #log: Log;
  readonly #trustedProxies: AddressSet;

  constructor(options: ProxyOptions) {
    this.#pool = new Pool('http://ledger', {
      pipelining: 1,
      connections: 64,
      headersTimeout: ADMIN_TIMEOUT_MS,
      bodyTimeout: ADMIN_TIMEOUT_MS,
      connect: { socketPath: options.socketPath, timeout: 1_000 },
    });
    this.#untilServing = options.untilServing;
    this.#log = options.log;
    this.#trustedProxies = options.trustedProxies;
  }

  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = methodOf(request);
    if (method === undefined) {
      const problem = new ApportionError('method_not_allowed', `Nothing here takes ${request.method ?? 'that'}.`);
      sendError(response, problem, { headers: { allow: METHODS.join(', ') } });
      return;
    }
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      if (!(await this.#untilServing(STARTING_MS))) throw new Error('the ledger process is not up');
      const hasBody =
        request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
      await this.#pool.stream(
        {
          method,
          path: request.url ?? '/',
          headers: forwardedHeaders(request, this.#trustedProxies),
          body: hasBody ? request : null,
          signal: gone.signal,
        },
        ({ statusCode, headers }) => {
          response.writeHead(statusCode, answerHeaders(headers));
          return response;
        },
      );
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#log.warn({ err: error, path: parseTarget(request.url ?? '/').path }, 'the ledger process did not answer');
      sendError(
        response,
        new ApportionError('ledger_unavailable', 'Analytics and administration are not available at the moment.', {
          hint: 'Calls go on and are recorded; the ledger process is being started again. Try again in a few seconds.',
        }),
        { headers: { 'retry-after': '2' } },
      );
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

function methodOf(request: IncomingMessage): (typeof METHODS)[number] | undefined {
  return METHODS.find((method) => method === request.method);
}

function forwardedHeaders(request: IncomingMessage, trustedProxies: AddressSet): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !NOT_FORWARDED.has(name)) headers[name] = value;
  }
  headers['x-forwarded-for'] = clientAddress(request, trustedProxies);
  return headers;
}

function answerHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const shown: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !NOT_FORWARDED.has(name)) shown[name] = value;
  }
  return shown;
}
