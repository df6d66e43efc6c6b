import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { parseTarget, withoutApiPrefix } from '#http';
import { ApportionError, makeCallId, toOpenAiError } from '#terms';
import { NO_TARGET, openAiRealtime, type RequestBody } from '#wires';
import type { CallDeps } from '../call.ts';
import { choose } from '../choose.ts';
import { identify } from '../identify.ts';
import type { Step } from '../route/itinerary.ts';
import { pathAtProvider, type RoutedCall } from '../routes.ts';
import { signIn, SignInError } from '../sign-in.ts';
import { Bridge } from './bridge.ts';
import { ResponseLedger } from './response-ledger.ts';

export type Realtime = {
  /** Dialogues end, each after what runs in it has said what it cost, or at the deadline. */
  close(deadlineMs: number): Promise<void>;
};

const PROTOCOL = 'realtime';
/** How browsers, which set no headers, say the key and the version (openai SDK 7.55.0, realtime). */
const KEY_PROTOCOL = 'openai-insecure-api-key.';
const BETA_PROTOCOL = 'openai-beta.realtime-v1';

/** Serves OpenAI's realtime dialogues on the server that serves calls. */
export function serveRealtime(deps: CallDeps, server: Server): Realtime {
  const bridges = new Set<Bridge>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: deps.config.limits.maxBodyBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    open(deps, request)
      .then(({ upstream, ...opened }) => {
        // A handshake that is none is answered by the library, and nobody is called back.
        const abandon = (): void => upstream.terminate();
        socket.once('close', abandon);
        sockets.handleUpgrade(request, socket, head, (client) => {
          socket.off('close', abandon);
          const failed = (error: unknown): void => deps.log.error({ err: error }, 'a realtime dialogue failed');
          const bridge = new Bridge({ client, upstream, tagging: deps.tagging, failed, ...opened });
          bridges.add(bridge);
          void bridge.closed.then(() => bridges.delete(bridge));
          upstream.resume();
        });
      })
      .catch((error: unknown) => refuse(deps, socket, error));
  });
  return {
    close: async (deadlineMs) => {
      for (const bridge of bridges) bridge.close(1001, 'The gateway is going away.');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs);
      });
      await Promise.race([Promise.all([...bridges].map(({ closed }) => closed)), late]);
      clearTimeout(timer);
    },
  };
}

/** identify → tag → choose → connect: everything that can be refused is, before the caller's socket is open. */
async function open(deps: CallDeps, request: IncomingMessage) {
  const { path: whole, query } = parseTarget(request.url ?? '/');
  if (withoutApiPrefix(whole) !== '/realtime')
    throw new ApportionError('not_found', 'There are no web sockets here.', { hint: 'They are at /v1/realtime.' });
  const protocols = protocolsOf(request);
  const key = protocols.find((one) => one.startsWith(KEY_PROTOCOL));
  if (key !== undefined) request.headers.authorization ??= `Bearer ${key.slice(KEY_PROTOCOL.length)}`;
  const asked = new URLSearchParams(query);
  const headers = withQueryTags(request.headersDistinct, asked);
  const routed = routedTo(asked);
  const caller = identify(deps, { request, dialect: 'openai', query });
  const startedAt = deps.clock.now();
  const body: RequestBody = { bytes: Buffer.alloc(0), members: new Map(), form: null, target: routed.target };
  const tagged = deps.tagging.tag({ body, headers, caller });
  const callId = makeCallId(startedAt, deps.random(10));
  const call = { callId, startedAt, startedMs: deps.clock.elapsedMs(), body };
  if (routed.target.model === '' && caller.models.length > 0)
    throw new ApportionError('not_allowed', 'This key may call certain models only, and none is named.', {
      param: 'model',
      hint: `It may call ${caller.models.join(', ')}.`,
    });
  const { itinerary } = choose(deps, { call, caller, tagged, routed, headers: request.headers });
  const step = itinerary.first();
  const dialogue = { caller, routed, step, requestModel: routed.target.model, route: itinerary.route };
  const beta = protocols.includes(BETA_PROTOCOL) || request.headers['openai-beta'] !== undefined;
  const upstream = await connect(deps, { routed, step, beta });
  return { upstream, ledger: new ResponseLedger(deps, dialogue), said: { headers, caller }, tags: tagged.tags };
}

function routedTo(asked: URLSearchParams): RoutedCall {
  const target = { ...NO_TARGET, model: asked.get('model') ?? '', query: asked.toString() };
  const route = { operation: 'realtime', dialect: 'openai', wire: openAiRealtime, billing: 'metered' } as const;
  return { route, method: 'GET', upstreamPath: '/realtime', target };
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
}

const QUERY_TAG = /^x-(?:apportion|litellm)-/;

/** Browsers cannot set headers: ours may stand in the query, and do not go on from there. */
function withQueryTags(headers: NodeJS.Dict<string[]>, asked: URLSearchParams): NodeJS.Dict<string[]> {
  const said: NodeJS.Dict<string[]> = { ...headers };
  for (const [name, value] of asked) if (QUERY_TAG.test(name)) said[name] ??= [value];
  for (const name of Object.keys(said)) asked.delete(name);
  return said;
}

type Connecting = { readonly routed: RoutedCall; readonly step: Step; readonly beta: boolean };

async function connect(deps: CallDeps, { routed, step, beta }: Connecting): Promise<WebSocket> {
  const { upstream, model } = step;
  if (upstream.socketOrigin === null)
    throw new ApportionError('model_not_found', `The provider ${upstream.name} has no realtime dialogues.`);
  const query = new URLSearchParams(routed.target.query);
  if (model !== '') query.set('model', model);
  const target = { ...routed.target, query: query.toString() };
  const headers = { ...upstream.headers, ...(beta ? { 'openai-beta': 'realtime=v1' } : {}) };
  const path = pathAtProvider({ ...routed, target }, step, { stream: true });
  const request = await signIn(upstream, { method: 'GET', path, headers, body: null });
  if (request instanceof SignInError)
    throw new ApportionError('upstream_unauthorized', `The gateway could not sign in to ${upstream.name}.`);
  const socket = new WebSocket(`${upstream.socketOrigin}${request.path}`, PROTOCOL, {
    headers: request.headers,
    maxPayload: deps.config.limits.maxBodyBytes,
    perMessageDeflate: false,
    handshakeTimeout: deps.config.timeouts.connectMs,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      // What it says at once waits for the caller's side.
      socket.pause();
      resolve();
    });
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      reject(notTaken(upstream.name, response.statusCode ?? 0));
      socket.terminate();
    });
    socket.once('error', () =>
      reject(new ApportionError('upstream_unreachable', `The provider ${upstream.name} could not be reached.`)),
    );
  });
  return socket;
}

function notTaken(provider: string, status: number): ApportionError {
  if (status === 401 || status === 403)
    return new ApportionError('upstream_unauthorized', `The provider ${provider} refused the gateway's credentials.`, {
      hint: `Check the API key that is configured for ${provider}.`,
    });
  return new ApportionError('upstream_broken', `The provider ${provider} does not open a dialogue (${status}).`, {
    status: status >= 400 && status < 500 ? status : 502,
  });
}

function refuse(deps: CallDeps, socket: Duplex, error: unknown): void {
  if (!(error instanceof ApportionError)) deps.log.error({ err: error }, 'a realtime dialogue could not be opened');
  const shown = error instanceof ApportionError ? error : new ApportionError('internal_error', 'The gateway failed.');
  const body = JSON.stringify(toOpenAiError(shown));
  const head = [
    `HTTP/1.1 ${shown.status} ${STATUS_CODES[shown.status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
