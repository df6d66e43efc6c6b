import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#std';
import { decidePieces, decideUsage, toWireAnswer, toWireChunks, toWrites, type Answer } from './answer.ts';
import { parseBehaviour, type Behaviour } from './behaviour.ts';
import {
  costOf,
  SERVED_MODELS,
  toWireBill,
  totalOf,
  type Bill,
  type BillEntry,
  type Operation,
  type ServedModel,
} from './bill.ts';
import { seedOf } from './random.ts';
import { checkAuthorization, checkRequest, refusal, type ModelRequest, type Refusal } from './request-check.ts';
import { toWireCompletion, toWireCompletionChunks, toWireEmbeddings } from './text-answer.ts';

export const UPSTREAM_KEY = 'sk-upstream-of-the-tests';

/** A request as it arrived, so that tests can look for what must not be there. Bodies over 64 KB are kept as ''. */
export type ReceivedRequest = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bodyBytes: number;
};

export type Upstream = {
  /** Ends in `/v1`, as `OPENAI_BASE_URL` does. */
  readonly baseUrl: string;
  readonly apiKey: string;
  bill(): Promise<Bill>;
  received(): Promise<readonly ReceivedRequest[]>;
  /** How the next `times` requests are treated (all of them when not said), unless their own text says otherwise. */
  script(behaviour: Behaviour, times?: number): Promise<void>;
  close(): Promise<void>;
};

export type UpstreamOptions = {
  readonly port?: number;
  readonly apiKey?: string;
  /** Models beside OpenAI's, with what the upstream charges for them. */
  readonly models?: Readonly<Record<string, ServedModel>>;
};

const KEPT_BODY_BYTES = 65_536;
const KEPT_REQUESTS = 5_000;

type State = {
  readonly apiKey: string;
  readonly models: Readonly<Record<string, ServedModel>>;
  readonly bill: Map<string, BillEntry>;
  readonly received: ReceivedRequest[];
  readonly scripts: { behaviour: Behaviour; left: number }[];
};

/** An OpenAI look-alike on a real socket of this process. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const apiKey = options.apiKey ?? UPSTREAM_KEY;
  const state: State = { apiKey, models: options.models ?? {}, bill: new Map(), received: [], scripts: [] };
  const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
    answer(request, response, state).catch((error: unknown) => {
      // The other side hanging up is an ordinary event here; anything else is a mistake of the test.
      if (!response.destroyed) response.writeHead(599).end(String(error));
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${portOf(server)}/v1`,
    apiKey,
    bill: async () => billOf(state),
    received: async () => [...state.received],
    script: async (behaviour, times = Number.POSITIVE_INFINITY) => {
      state.scripts.push({ behaviour, left: times });
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream does not listen on a port');
  return address.port;
}

function billOf(state: State): Bill {
  const entries = [...state.bill.values()];
  return { entries, total: totalOf(entries) };
}

async function answer(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const path = request.url ?? '/';
  const body = await readText(request);
  if (path === '/bill') return sendJson(response, toWireBill(billOf(state)));
  if (path === '/received') return sendJson(response, JSON.stringify(state.received));
  if (path === '/script') {
    const { behaviour, times }: { behaviour: Behaviour; times: number | null } = JSON.parse(body);
    state.scripts.push({ behaviour, left: times ?? Number.POSITIVE_INFINITY });
    return sendJson(response, '{}');
  }
  remember(request, body, state);
  const refused = checkAuthorization(request.headers.authorization, state.apiKey);
  if (refused !== undefined) return sendRefusal(response, refused);
  if (path === '/v1/models' && request.method === 'GET') return sendJson(response, modelList(state));
  const operation = OPERATIONS.get(path);
  if (operation !== undefined && request.method === 'POST') return serve(operation, { body, response, state });
  return sendRefusal(response, refusal(404, `Invalid URL (${request.method} ${path})`));
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function remember(request: IncomingMessage, body: string, state: State): void {
  const bodyBytes = Buffer.byteLength(body);
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  state.received.push({ path: request.url ?? '', headers, body: bodyBytes > KEPT_BODY_BYTES ? '' : body, bodyBytes });
  if (state.received.length > KEPT_REQUESTS) state.received.shift();
}

function modelList(state: State): string {
  const data = Object.keys({ ...SERVED_MODELS, ...state.models });
  return JSON.stringify({
    object: 'list',
    data: data.map((id) => ({ id, object: 'model', created: 1_715_367_049, owned_by: 'system' })),
  });
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
]);

type Served = { readonly body: string; readonly response: ServerResponse; readonly state: State };

async function serve(operation: Operation, { body, response, state }: Served): Promise<void> {
  const request = checkRequest(operation, body, state);
  if ('error' in request) return sendRefusal(response, request);
  const behaviour = behaviourFor(request, body, state);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (behaviour.delay !== undefined) await wait(behaviour.delay, undefined, { signal: gone.signal });
  if (behaviour.error !== undefined) {
    const limited = behaviour.error === 429 ? { code: 'rate_limit_exceeded' } : {};
    return sendRefusal(response, refusal(behaviour.error, 'The upstream was told to fail.', limited));
  }
  if (behaviour.fault === 'never_answer') return;
  if (behaviour.fault === 'reset_before_headers') return reset(response);
  if (behaviour.fault === 'wrong_content_type') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome to the proxy</body></html>');
    return;
  }
  const decided = decide(request, Buffer.byteLength(body), behaviour);
  const entry: BillEntry = {
    id: decided.id,
    model: request.model,
    usage: decided.usage,
    cost: costOf(request.served, decided.usage),
    stream: request.stream,
    delivery: 'running',
  };
  // On the bill before the first byte: a provider charges for the work, whether or not the answer arrives.
  state.bill.set(entry.id, entry);
  response.once('close', () => {
    const whole = response.writableFinished && behaviour.fault === undefined;
    state.bill.set(entry.id, { ...entry, delivery: whole ? 'complete' : 'broken' });
  });
  if (!request.stream)
    return sendAnswer(response, { id: decided.id, body: bodyOf(decided, request, behaviour) }, behaviour);
  const chunks = operation === 'completions' ? toWireCompletionChunks : toWireChunks;
  return sendStream(response, toWrites(chunks(decided, request, behaviour), behaviour.framing), behaviour);
}

function bodyOf(decided: Answer, request: ModelRequest, behaviour: Behaviour & { seed: number }): string {
  switch (request.operation) {
    case 'chat':
      return toWireAnswer(decided, request, behaviour);
    case 'completions':
      return toWireCompletion(decided, request, behaviour);
    case 'embeddings':
      return toWireEmbeddings(decided, request, behaviour);
  }
}

function behaviourFor(request: ModelRequest, body: string, state: State): Behaviour & { seed: number } {
  const script = state.scripts[0];
  if (script !== undefined && (script.left -= 1) <= 0) state.scripts.shift();
  return { seed: seedOf(body), ...script?.behaviour, ...parseBehaviour(request.text) };
}

const ID_PREFIX: Readonly<Record<Operation, string>> = { chat: 'chatcmpl-', completions: 'cmpl-', embeddings: 'req_' };

function decide(request: ModelRequest, bodyBytes: number, behaviour: Behaviour & { seed: number }): Answer {
  return {
    id: `${ID_PREFIX[request.operation]}${randomBytes(14).toString('hex')}`,
    created: Math.floor(systemClock.now() / 1000),
    snapshot: request.served.snapshot,
    pieces: decidePieces(behaviour),
    usage: decideUsage(request, bodyBytes, behaviour),
  };
}

function openAiHeaders(
  contentType: string,
  requestId = `req_${randomBytes(16).toString('hex')}`,
): Record<string, string> {
  return {
    'content-type': contentType,
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-request-id': requestId,
  };
}

async function sendAnswer(
  response: ServerResponse,
  { id, body }: { id: string; body: string },
  behaviour: Behaviour,
): Promise<void> {
  response.writeHead(200, openAiHeaders('application/json', id.startsWith('req_') ? id : undefined));
  if (behaviour.fault === 'reset_after_headers') return resetAfterFlush(response);
  const cut = behaviour.fault === 'cut_mid_stream' || behaviour.fault === 'broken_json';
  const bytes = Buffer.from(body);
  if (!cut) {
    response.end(bytes);
    return;
  }
  const half = bytes.subarray(0, bytes.length / 2);
  if (behaviour.fault === 'broken_json') {
    response.end(half);
    return;
  }
  response.write(half, () => reset(response));
}

async function sendStream(response: ServerResponse, writes: Iterable<Buffer>, behaviour: Behaviour): Promise<void> {
  response.writeHead(200, openAiHeaders('text/event-stream; charset=utf-8'));
  response.flushHeaders();
  if (behaviour.fault === 'reset_after_headers') return resetAfterFlush(response);
  const all = [...writes];
  const faulty = behaviour.fault !== undefined;
  const last = faulty ? Math.max(1, Math.floor(all.length / 2)) : all.length;
  for (const write of all.slice(0, last)) {
    if (response.destroyed) return;
    if (behaviour.chunk_delay !== undefined) await wait(behaviour.chunk_delay);
    if (!response.write(write)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    else if (behaviour.framing === 'odd_bytes') await nextTurn();
  }
  if (behaviour.fault === 'stall_mid_stream') return;
  if (behaviour.fault === 'cut_mid_stream') return resetAfterFlush(response);
  response.end();
}

/** Gives the kernel a turn, so that what was written leaves before the reset throws the rest away. */
async function resetAfterFlush(response: ServerResponse): Promise<void> {
  await wait(20);
  reset(response);
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function sendJson(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function sendRefusal(response: ServerResponse, refused: Refusal): void {
  response.writeHead(refused.status, openAiHeaders('application/json')).end(JSON.stringify({ error: refused.error }));
}
