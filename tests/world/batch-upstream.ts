import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { UPSTREAM_KEY } from './upstream.ts';

/** How a line ends when its batch does. */
export type LineEnd = 'answered' | 'failed' | 'not_run';

export type BatchUpstream = {
  readonly baseUrl: string;
  readonly origin: string;
  readonly apiKey: string;
  /** Works a batch off: what is answered is on the bill from now on. */
  finish(batch: string, endOf?: (customId: string) => LineEnd): void;
  /** What was charged for each line that was answered, in pico-dollars, by `batch/custom_id`. */
  bill(): ReadonlyMap<string, bigint>;
  /** Ids of the batches that were created, in order. */
  batches(): readonly string[];
  /** The lines of a batch as they arrived. */
  linesOf(batch: string): readonly Line[];
  /** How often results were asked for. */
  fetches(): number;
  /** Results stop after so many lines, until they are let go; then the rest comes. */
  holdAfter(lines: number): { readonly held: Promise<void>; release(): void };
  close(): Promise<void>;
};

type Line = { readonly customId: string; readonly body: Readonly<Record<string, unknown>> };

type Batch = {
  readonly id: string;
  readonly dialect: 'openai' | 'anthropic';
  readonly input: string;
  readonly lines: readonly Line[];
  over: 'completed' | 'cancelled' | null;
  output: string | null;
  errors: string | null;
};

/** USD per token of the batch tier, in pico-dollars: gpt-4o-mini 0.075 and 0.30, claude-haiku-4-5 0.50 and 2.50 per million. */
const PRICES = {
  openai: { model: 'gpt-4o-mini', input: 75_000n, output: 300_000n },
  anthropic: { model: 'claude-haiku-4-5', input: 500_000n, output: 2_500_000n },
} as const;

/** What the providers' schemas have; they refuse a batch with anything else in a line. */
const LINE_FIELDS = {
  openai: new Set(['model', 'messages', 'max_tokens', 'max_completion_tokens', 'temperature', 'user', 'n']),
  anthropic: new Set(['model', 'messages', 'max_tokens', 'temperature', 'system', 'metadata']),
} as const;

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Gate = { after: number; held: PromiseWithResolvers<void>; free: PromiseWithResolvers<void> };

class World {
  readonly files = new Map<string, string>();
  readonly open = new Map<string, Batch>();
  readonly bill = new Map<string, bigint>();
  fetches = 0;
  gate: Gate | null = null;
  #made = 0;

  id(prefix: string): string {
    this.#made += 1;
    return `${prefix}${String(this.#made).padStart(6, '0')}`;
  }
}

/** Files and batches as OpenAI and Anthropic have them, on a socket of this process, with a bill of their own. */
export async function startBatchUpstream(): Promise<BatchUpstream> {
  const world = new World();
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error: unknown) => {
      const refused = error instanceof Refused ? error : new Refused(599, String(error));
      if (response.destroyed) return;
      if (response.headersSent) response.destroy();
      else sendJson(response, { error: { type: 'invalid_request_error', message: refused.message } }, refused.status);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return {
    baseUrl: `${origin}/v1`,
    origin,
    apiKey: UPSTREAM_KEY,
    finish: (id, endOf = () => 'answered') => finish(world, batchOf(world, id), endOf),
    bill: () => new Map(world.bill),
    batches: () => [...world.open.keys()],
    linesOf: (id) => batchOf(world, id).lines,
    fetches: () => world.fetches,
    holdAfter: (lines) => {
      const gate = { after: lines, held: Promise.withResolvers<void>(), free: Promise.withResolvers<void>() };
      world.gate = gate;
      return { held: gate.held.promise, release: () => gate.free.resolve() };
    },
    close: async () => {
      world.gate?.free.resolve();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function batchOf(world: World, id: string): Batch {
  const batch = world.open.get(id);
  if (batch === undefined) throw new Refused(404, `No batch ${id}.`);
  return batch;
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const { pathname } = new URL(request.url ?? '/', 'http://upstream');
  const key = request.headers.authorization ?? `Bearer ${String(request.headers['x-api-key'])}`;
  if (key !== `Bearer ${UPSTREAM_KEY}`) throw new Refused(401, 'Incorrect API key.');
  const line = `${request.method} ${pathname}`;
  if (line === 'POST /v1/files') return upload(world, { body, type: request.headers['content-type'] ?? '' }, response);
  if (line === 'POST /v1/batches') return sendJson(response, createOpenAi(world, JSON.parse(body.toString())));
  if (line === 'POST /v1/messages/batches')
    return sendJson(response, createAnthropic(world, JSON.parse(body.toString())));
  const [, method, file] = /^(\w+) \/v1\/files\/([\w-]+)\/content$/.exec(line) ?? [];
  if (method === 'GET' && file !== undefined) return results(world, world.files.get(file), response);
  const [, verb, about, id = '', action] =
    /^(\w+) \/v1\/(messages\/batches|batches|files)\/([\w-]+)(?:\/(\w+))?$/.exec(line) ?? [];
  if (about === 'files' && verb === 'DELETE') {
    if (!world.files.delete(id)) throw new Refused(404, `No such File object: ${id}`);
    return sendJson(response, { id, object: 'file', deleted: true });
  }
  if (about === undefined) throw new Refused(404, `Invalid URL (${line})`);
  const batch = batchOf(world, id);
  if (action === 'results') return results(world, batch.over === null ? undefined : (batch.output ?? ''), response);
  if (verb === 'POST' && action === 'cancel') cancel(world, batch);
  return sendJson(response, shown(batch));
}

async function upload(world: World, sent: { body: Buffer; type: string }, response: ServerResponse): Promise<void> {
  const form = await new Response(sent.body, { headers: { 'content-type': sent.type } }).formData();
  const file = form.get('file');
  if (!(file instanceof File)) throw new Refused(400, "Missing required parameter: 'file'.");
  for (const name of form.keys())
    if (name !== 'file' && name !== 'purpose') throw new Refused(400, `Unknown parameter: '${name}'.`);
  const id = world.id('file-');
  world.files.set(id, await file.text());
  sendJson(response, { id, object: 'file', bytes: file.size, created_at: 1, filename: file.name, purpose: 'batch' });
}

type Fields = Readonly<Record<string, unknown>>;

function createOpenAi(world: World, body: Fields): object {
  const input = String(body['input_file_id']);
  const text = world.files.get(input);
  if (text === undefined) throw new Refused(400, `No such File object: ${input}`);
  const lines = text
    .split('\n')
    .filter((one) => one !== '')
    .map((one): Line => {
      const { custom_id, method, url, body: asked, ...rest } = JSON.parse(one);
      if (method !== 'POST' || url !== body['endpoint'] || Object.keys(rest).length > 0)
        throw new Refused(400, 'A line is not what it must be.');
      return { customId: custom_id, body: checked('openai', asked) };
    });
  return shown(keep(world, { dialect: 'openai', input, lines }));
}

function createAnthropic(world: World, { requests, ...rest }: Fields): object {
  if (!Array.isArray(requests) || Object.keys(rest).length > 0) throw new Refused(400, 'requests: Field required');
  const lines = requests.map((one: Fields): Line => {
    const { custom_id, params, ...other } = one;
    if (Object.keys(other).length > 0) throw new Refused(400, 'Extra inputs are not permitted');
    return { customId: String(custom_id), body: checked('anthropic', params as Fields) };
  });
  return shown(keep(world, { dialect: 'anthropic', input: '', lines }));
}

function checked(dialect: Batch['dialect'], body: Fields): Fields {
  for (const name of Object.keys(body))
    if (!LINE_FIELDS[dialect].has(name)) throw new Refused(400, `Unrecognized request argument supplied: ${name}`);
  const metadata = body['metadata'];
  if (metadata !== undefined && Object.keys(metadata as Fields).some((name) => name !== 'user_id'))
    throw new Refused(400, 'metadata: Extra inputs are not permitted');
  return body;
}

function keep(world: World, { dialect, input, lines }: Pick<Batch, 'dialect' | 'input' | 'lines'>): Batch {
  const id = world.id(dialect === 'openai' ? 'batch_' : 'msgbatch_');
  const batch: Batch = { id, dialect, input, lines, over: null, output: null, errors: null };
  world.open.set(id, batch);
  return batch;
}

function cancel(world: World, batch: Batch): void {
  // Every other line was worked on by then.
  const run = new Set(batch.lines.filter((_, index) => index % 2 === 0).map(({ customId }) => customId));
  finish(world, batch, (customId) => (run.has(customId) ? 'answered' : 'not_run'));
  batch.over = 'cancelled';
}

function finish(world: World, batch: Batch, endOf: (customId: string) => LineEnd): void {
  const answered: string[] = [];
  const failed: string[] = [];
  for (const line of batch.lines) {
    const end = endOf(line.customId);
    if (end === 'answered') charge(world, batch, line);
    const text = JSON.stringify(batch.dialect === 'openai' ? openAiResult(line, end) : anthropicResult(line, end));
    (end === 'answered' || batch.dialect === 'anthropic' ? answered : failed).push(`${text}\n`);
  }
  batch.over = 'completed';
  if (batch.dialect === 'anthropic') {
    batch.output = answered.join('');
    return;
  }
  batch.output = answered.length === 0 ? null : put(world, answered);
  batch.errors = failed.length === 0 ? null : put(world, failed);
}

function put(world: World, lines: readonly string[]): string {
  const id = world.id('file-');
  world.files.set(id, lines.join(''));
  return id;
}

/** Decided by the line's own text, so that it can be told again. */
function tokensOf({ customId }: Line): { readonly input: number; readonly output: number } {
  let seed = 7;
  for (const char of customId) seed = (seed * 31 + char.charCodeAt(0)) % 9973;
  return { input: 5 + (seed % 40), output: 2 + (seed % 13) };
}

function charge(world: World, batch: Batch, line: Line): void {
  const { input, output } = tokensOf(line);
  const price = PRICES[batch.dialect];
  world.bill.set(`${batch.id}/${line.customId}`, BigInt(input) * price.input + BigInt(output) * price.output);
}

function openAiResult(line: Line, end: LineEnd): object {
  const { customId: custom_id } = line;
  const id = `batch_req_${custom_id}`;
  if (end === 'not_run')
    return { id, custom_id, response: null, error: { code: 'batch_expired', message: 'This request expired.' } };
  if (end === 'failed') {
    const error = { message: 'Bad.', type: 'invalid_request_error', param: null, code: 'bad_request' };
    return { id, custom_id, response: { status_code: 400, request_id: 'r', body: { error } }, error: null };
  }
  const { input, output } = tokensOf(line);
  const details = { completion_tokens_details: { reasoning_tokens: 1 } };
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, ...details };
  const message = { role: 'assistant', content: `line ${custom_id}\nof a batch`, refusal: null };
  const body = {
    id: `chatcmpl-${custom_id}`,
    object: 'chat.completion',
    created: 1,
    model: PRICES.openai.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage,
    service_tier: 'default',
  };
  return { id, custom_id, response: { status_code: 200, request_id: 'r', body }, error: null };
}

function anthropicResult(line: Line, end: LineEnd): object {
  const { customId: custom_id } = line;
  if (end === 'not_run') return { custom_id, result: { type: 'expired' } };
  if (end === 'failed') {
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'Bad.' } };
    return { custom_id, result: { type: 'errored', error } };
  }
  const { input, output } = tokensOf(line);
  const message = {
    id: `msg_${custom_id}`,
    type: 'message',
    role: 'assistant',
    model: PRICES.anthropic.model,
    content: [{ type: 'text', text: 'done' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output, service_tier: 'batch' },
  };
  return { custom_id, result: { type: 'succeeded', message } };
}

function shown(batch: Batch): object {
  const { id, over } = batch;
  if (batch.dialect === 'anthropic') {
    return {
      id,
      type: 'message_batch',
      processing_status: over === null ? 'in_progress' : 'ended',
      created_at: '2026-11-21T00:00:00Z',
      expires_at: '2026-11-22T00:00:00Z',
      request_counts: {
        processing: over === null ? batch.lines.length : 0,
        succeeded: 0,
        errored: 0,
        canceled: 0,
        expired: 0,
      },
      results_url: over === null ? null : `http://elsewhere.invalid/v1/messages/batches/${id}/results`,
    };
  }
  return {
    id,
    object: 'batch',
    endpoint: '/v1/chat/completions',
    input_file_id: batch.input,
    completion_window: '24h',
    status: over ?? 'in_progress',
    output_file_id: batch.output,
    error_file_id: batch.errors,
    created_at: 1,
  };
}

/** In pieces that have nothing to do with its lines. */
async function results(world: World, text: string | undefined, response: ServerResponse): Promise<void> {
  if (text === undefined) throw new Refused(404, 'Not found');
  world.fetches += 1;
  const { gate } = world;
  world.gate = null;
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  if (gate === null) {
    response.end(text);
    return;
  }
  const cut = text.split('\n').slice(0, gate.after).join('\n').length + 1;
  response.write(text.slice(0, cut), () => gate.held.resolve());
  await gate.free.promise;
  response.end(text.slice(cut));
}

function sendJson(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
