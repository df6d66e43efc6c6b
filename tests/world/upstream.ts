import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { anthropic } from './anthropic/index.ts';
import { azure } from './azure/index.ts';
import { parseBehaviour, type Behaviour, type Seeded, type SpeakerName } from './behaviour.ts';
import { toWireBill, totalOf, type Bill, type BillEntry } from './bill.ts';
import { deliver, progressOf, reset, type Progress } from './deliver.ts';
import {
  isRefusal,
  type Answer,
  type Charge,
  type Dialect,
  type Prepared,
  type Received,
  type Refusal,
  type Stock,
} from './dialect.ts';
import { bedrock } from './bedrock/index.ts';
import { cohere } from './cohere/index.ts';
import { gemini } from './gemini/index.ts';
import { openai } from './openai/index.ts';
import { vertex } from './vertex/index.ts';
import { costOf, type BilledMeters, type ServedModel } from './price-list.ts';
import { seedOf } from './random.ts';

export const UPSTREAM_KEY = 'sk-upstream-of-the-tests';

/** A request as it arrived, so that tests can look for what must not be there. Bodies over 64 KB are kept as ''. */
export type ReceivedRequest = {
  /** With the query. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly bodyBytes: number;
};

export type Upstream = {
  /** Ends in `/v1`, as `OPENAI_BASE_URL` does. */
  readonly baseUrl: string;
  /** The same without `/v1`, as Anthropic's and Google's clients want it. */
  readonly origin: string;
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
  /** What a cloud's sign-in gave, beside the key. */
  readonly tokens?: ReadonlySet<string>;
  /** Models beside the providers' own, with what the upstream charges for them. */
  readonly models?: Readonly<Record<string, ServedModel>>;
  /** Whose variety of OpenAI's chat it answers in, unless a request says otherwise. */
  readonly speaks?: SpeakerName;
};

const KEPT_BODY_BYTES = 65_536;
const KEPT_REQUESTS = 5_000;

/** The first that owns an address answers it. */
const DIALECTS: readonly Dialect[] = [azure, bedrock, vertex, cohere, anthropic, gemini, openai];

type State = {
  readonly apiKey: string;
  readonly tokens: ReadonlySet<string>;
  readonly usually: Behaviour;
  readonly stock: Stock;
  readonly bill: Map<string, BillEntry>;
  readonly received: ReceivedRequest[];
  readonly scripts: { behaviour: Behaviour; left: number }[];
};

/** A look-alike of OpenAI, Anthropic and Gemini at once, on a real socket of this process. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const apiKey = options.apiKey ?? UPSTREAM_KEY;
  const state: State = {
    apiKey,
    tokens: options.tokens ?? new Set(),
    usually: options.speaks === undefined ? {} : { speaks: options.speaks },
    stock: { models: options.models ?? {}, files: new Map() },
    bill: new Map(),
    received: [],
    scripts: [],
  };
  const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
    answer(request, response, state).catch((error: unknown) => {
      // The other side hanging up is an ordinary event here; anything else is a mistake of the test.
      if (!response.destroyed) response.writeHead(599).end(String(error));
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${portOf(server)}`;
  return {
    baseUrl: `${origin}/v1`,
    origin,
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
  const received = await receive(request);
  const { path, body } = received;
  if (path === '/bill') return sendText(response, toWireBill(billOf(state)));
  if (path === '/received') return sendText(response, JSON.stringify(state.received));
  if (path === '/script') {
    const { behaviour, times }: { behaviour: Behaviour; times: number | null } = JSON.parse(body.toString());
    state.scripts.push({ behaviour, left: times ?? Number.POSITIVE_INFINITY });
    return sendText(response, '{}');
  }
  remember(request.url ?? '', received, state);
  const dialect = DIALECTS.find((one) => one.owns(received)) ?? openai;
  const refused = dialect.authorize(received, state.apiKey, state.tokens);
  if (refused !== undefined) return sendRefusal(response, refused);
  const operation = dialect.operation(received);
  if (operation === undefined) {
    return sendRefusal(response, dialect.refusal(404, `Invalid URL (${received.method} ${path})`));
  }
  const prepared = await operation(received, state.stock);
  if (isRefusal(prepared)) return sendRefusal(response, prepared);
  return serve(prepared, { received, dialect, response, state });
}

async function receive(request: IncomingMessage): Promise<Received> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const url = new URL(request.url ?? '/', 'http://upstream');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(parts),
  };
}

function remember(path: string, { method, headers, body }: Received, state: State): void {
  const bodyBytes = body.length;
  const text = bodyBytes > KEPT_BODY_BYTES ? '' : body.toString('utf8');
  state.received.push({ path, method, headers, body: text, bodyBytes });
  if (state.received.length > KEPT_REQUESTS) state.received.shift();
}

type Serving = {
  readonly received: Received;
  readonly dialect: Dialect;
  readonly response: ServerResponse;
  readonly state: State;
};

async function serve(prepared: Prepared, { received, dialect, response, state }: Serving): Promise<void> {
  const behaviour = behaviourFor(prepared, received, state);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const stayed = await thinks(behaviour, gone.signal);
  if (!stayed) return chargeUndelivered(prepared, { behaviour, state });
  if (behaviour.error !== undefined) {
    const refused = dialect.refusal(behaviour.error, 'The upstream was told to fail.');
    const after = behaviour.retry_after === undefined ? {} : { 'retry-after': String(behaviour.retry_after) };
    return sendRefusal(response, { ...refused, headers: { ...refused.headers, ...after } });
  }
  if (behaviour.fault === 'never_answer') {
    if (gone.signal.aborted) return;
    await once(gone.signal, 'abort');
    return chargeUndelivered(prepared, { behaviour, state });
  }
  if (behaviour.fault === 'reset_before_headers') return reset(response);
  if (behaviour.fault === 'wrong_content_type') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome to the proxy</body></html>');
    return;
  }
  const decided = prepared.answer(behaviour);
  if (isRefusal(decided)) return sendRefusal(response, decided);
  if (behaviour.fault === 'error_first') return sendOnlyError(response, { dialect, decided });
  const progress = progressOf(decided);
  if (decided.charge !== null) putOnBill(decided.charge, { decided, behaviour, progress, response, state });
  return deliver(response, decided, { behaviour, progress });
}

/** The time before the status line; false when the other side did not wait. */
async function thinks({ delay }: Behaviour, signal: AbortSignal): Promise<boolean> {
  if (delay === undefined) return true;
  await wait(delay, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

/** Nobody waited for the answer. Whoever bills what was worked on does so only when told to. */
function chargeUndelivered(prepared: Prepared, { behaviour, state }: { behaviour: Seeded; state: State }): void {
  if (behaviour.bills_on_abort === undefined || behaviour.bills_on_abort === 'none') return;
  const decided = prepared.answer(behaviour);
  if (isRefusal(decided) || decided.charge === null) return;
  const { charge } = decided;
  const stream = decided.body.kind === 'stream';
  const shown = charged(charge, { behaviour, progress: progressOf(decided) });
  state.bill.set(charge.id, { id: charge.id, model: charge.model, ...shown, stream, delivery: 'broken' });
}

type Billing = {
  readonly decided: Answer;
  readonly behaviour: Behaviour;
  readonly progress: Progress;
  readonly response: ServerResponse;
  readonly state: State;
};

/** On the bill before the first byte: a provider charges for the work, whether or not the answer arrives. */
function putOnBill(charge: Charge, { decided, behaviour, progress, response, state }: Billing): void {
  const { id, model, served, meters, words } = charge;
  const stream = decided.body.kind === 'stream';
  const cost = costOf(served, meters, words);
  state.bill.set(id, { id, model, usage: meters, cost, stream, delivery: 'running' });
  response.once('close', () => {
    const whole = response.writableFinished && behaviour.fault === undefined;
    if (whole) state.bill.set(id, { id, model, usage: meters, cost, stream, delivery: 'complete' });
    else state.bill.set(id, { id, model, ...charged(charge, { behaviour, progress }), stream, delivery: 'broken' });
  });
}

type Charged = { readonly usage: BilledMeters; readonly cost: bigint };

/** What is charged for an answer that did not arrive whole. */
function charged(charge: Charge, given: { behaviour: Behaviour; progress: Progress }): Charged {
  const { served, meters, words } = charge;
  const usage = METERS_ON_ABORT[given.behaviour.bills_on_abort ?? 'full'](meters, given.progress);
  return { usage, cost: costOf(served, usage, words) };
}

const METERS_ON_ABORT: Readonly<
  Record<NonNullable<Behaviour['bills_on_abort']>, (meters: BilledMeters, progress: Progress) => BilledMeters>
> = {
  full: (meters) => meters,
  partial: (meters, { said, says }) => ({ ...meters, output: Math.floor(((meters['output'] ?? 0) * said) / says) }),
  none: () => ({}),
};

function behaviourFor({ text }: Prepared, { body }: Received, state: State): Seeded {
  const script = state.scripts[0];
  if (script !== undefined && (script.left -= 1) <= 0) state.scripts.shift();
  return { seed: seedOf(body.toString('latin1')), ...state.usually, ...script?.behaviour, ...parseBehaviour(text) };
}

/** A 200 that is an error all the same. */
function sendOnlyError(response: ServerResponse, { dialect, decided }: { dialect: Dialect; decided: Answer }): void {
  const { body, headers } = decided;
  response.writeHead(200, { 'content-type': body.contentType, ...headers });
  if (body.kind === 'stream') response.end(Buffer.from(body.errorAlone, body.encoding));
  else response.end(JSON.stringify(dialect.refusal(500, 'The server had an error.').envelope));
}

function sendText(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function sendRefusal(response: ServerResponse, { status, envelope, headers = {} }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(envelope));
}
