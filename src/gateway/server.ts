import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ClientGoneError, isTwisted, parseTarget, sendError, withoutApiPrefix } from '#http';
import { ApportionError } from '#terms';
import type { Dialect } from '#wires';
import { handleCall, type CallDeps, type Exchange } from './call.ts';
import { ERROR_BODIES } from './dialect-errors.ts';
import { identify } from './identify.ts';
import { modelsAnswer, type ListingDialect } from './models.ts';
import type { LedgerProxy } from './proxy.ts';
import { explainRoute } from './route-explain.ts';
import { serveRealtime } from './realtime/realtime.ts';
import { findRoute } from './routes.ts';
import { RunningCalls } from './running-calls.ts';
import { checkTags } from './tags-check.ts';

export type GatewayDeps = CallDeps & {
  readonly proxy: LedgerProxy;
  /** Null when calls can be served, else why not. */
  readonly notReady: () => string | null;
};

export type Gateway = {
  listen(address: { readonly port: number; readonly host: string }): Promise<{ readonly port: number }>;
  /** Takes no new call, lets running ones end until the deadline, then cuts them. Answers how many were cut. */
  close(deadlineMs: number): Promise<{ readonly cut: number }>;
};

const TWISTED_HINT = 'Write the path without "..", backslashes and control characters, encoded or not.';

/** How often connections are looked through for such as take too long. */
const LOOK_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;

export function createGateway(deps: GatewayDeps): Gateway {
  const running = new RunningCalls();
  const server = createServer(
    { noDelay: true, keepAlive: true, connectionsCheckingInterval: LOOK_MS, shouldUpgradeCallback: asksForSocket },
    (request, response) => {
      running.add(response);
      serve(deps, request, response).catch((error: unknown) => {
        // Without the query: Google's clients put their key there.
        deps.log.error(
          { err: error, path: parseTarget(request.url ?? '/').path },
          'a request failed by a fault of the gateway',
        );
        sendError(response, new ApportionError('internal_error', 'The gateway failed.', { hint: 'Its log says why.' }));
      });
    },
  );
  const realtime = serveRealtime(deps, server);
  server.headersTimeout = deps.config.timeouts.headersMs;
  // A body has its own timeout, and answers may take as long as a model thinks.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return {
    listen: (address) => listen(server, address),
    close: async (deadlineMs) => {
      server.close();
      server.closeIdleConnections();
      const [cut] = await Promise.all([running.drain(deadlineMs), realtime.close(deadlineMs)]);
      server.closeAllConnections();
      return { cut };
    },
  };
}

async function serve(deps: GatewayDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { path: whole, query } = parseTarget(request.url ?? '/');
  const path = withoutApiPrefix(whole);
  const anthropic = request.headers['anthropic-version'] !== undefined;
  const routed = findRoute({ method: request.method ?? 'GET', whole, path, query, anthropic });
  if (routed === 'POST') {
    refuseMethod(response, 'POST');
    return;
  }
  if (routed !== undefined) {
    if (isTwisted(whole)) {
      sendError(
        response,
        new ApportionError('not_found', 'This address leads back on its own way.', { hint: TWISTED_HINT }),
      );
      return;
    }
    await handleCall(deps, routed, { request, response });
    return;
  }
  if (path === '/tags/check') {
    await serveCheck({ request, response }, () => checkTags(deps, { request, response }));
    return;
  }
  if (path === '/route/explain') {
    await serveCheck({ request, response }, () => explainRoute(deps, { request, response, query }));
    return;
  }
  const models = /^(?:\/v1beta)?\/models(?:\/(.+))?$/.exec(path);
  if (models !== null) {
    // Google's client lists models under /v1 too; its key header tells it apart.
    const gemini = path.startsWith('/v1beta') || request.headers['x-goog-api-key'] !== undefined;
    const dialect = gemini ? 'gemini' : anthropic ? 'anthropic' : 'openai';
    await serveModels(deps, { request, response, query, dialect, wanted: models[1] ?? '' });
    return;
  }
  switch (whole) {
    case '/healthz':
      sendText(response, 200, 'ok');
      return;
    case '/readyz':
      sendReadiness(deps, response);
      return;
    case '/metrics':
      await sendMetrics(deps, response);
      return;
    default:
      await deps.proxy.forward(request, response);
  }
}

/** Java's clients offer HTTP/2 with every request (RFC 9113, section 3.2): theirs are requests like any other. */
function asksForSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function refuseMethod(response: ServerResponse, allowed: string): void {
  sendError(
    response,
    new ApportionError('method_not_allowed', 'This route does not take that method.', { hint: `Use ${allowed}.` }),
    { headers: { allow: allowed } },
  );
}

type ModelsRequest = Exchange & { readonly query: string; readonly dialect: ListingDialect; readonly wanted: string };

/** The list of models, or one of them, as the caller's dialect has it. */
async function serveModels(deps: GatewayDeps, exchange: ModelsRequest): Promise<void> {
  const { request, response, query, dialect, wanted } = exchange;
  if (request.method !== 'GET') {
    refuseMethod(response, 'GET');
    return;
  }
  await answerJson(exchange, () => {
    identify(deps, { request, dialect, query });
    return modelsAnswer(deps, { dialect, wanted });
  });
}

/** What a request would come to, asked with that request. */
async function serveCheck(exchange: Exchange, check: () => Promise<unknown>): Promise<void> {
  if (exchange.request.method !== 'POST') refuseMethod(exchange.response, 'POST');
  else await answerJson({ ...exchange, dialect: 'openai' }, check);
}

async function answerJson(
  { response, dialect }: Exchange & { readonly dialect: Dialect },
  answer: () => unknown,
): Promise<void> {
  try {
    sendJson(response, await answer());
  } catch (error) {
    if (error instanceof ClientGoneError) return;
    if (!(error instanceof ApportionError)) throw error;
    sendError(response, error, { envelope: ERROR_BODIES[dialect] });
  }
}

function sendReadiness(deps: GatewayDeps, response: ServerResponse): void {
  const reason = deps.notReady();
  sendText(response, reason === null ? 200 : 503, reason ?? 'ready');
}

async function sendMetrics(deps: GatewayDeps, response: ServerResponse): Promise<void> {
  const page = await deps.metrics.page();
  response.writeHead(200, { 'content-type': page.contentType });
  response.end(page.text);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text) + 1,
  });
  response.end(`${text}\n`);
}

function sendJson(response: ServerResponse, answer: unknown): void {
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
}

async function listen(server: Server, address: { port: number; host: string }): Promise<{ port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: two servers must never share the port without knowing of each other.
    server.listen({ port: address.port, host: address.host, exclusive: true, backlog: 1024 }, () => resolve());
  });
  const bound = server.address();
  return { port: typeof bound === 'object' && bound !== null ? bound.port : address.port };
}
