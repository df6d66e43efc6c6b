import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { systemClock } from '#std';
import { embedInSandbox } from './embedding.ts';
import { completeInSandbox, type SandboxCompletion, type SandboxRequest } from './completion.ts';

export type Sandbox = { close(): Promise<void> };

/**
 * Serves the sandbox on a Unix socket in OpenAI's own format. It stands behind a real socket, so that a sandbox call
 * takes the very path that a paid call takes.
 */
export async function startSandbox(socketPath: string): Promise<Sandbox> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error('the sandbox failed'));
    });
  });
  await listen(server, socketPath);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => resolve());
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readJson(request);
  if (request.url === '/v1/embeddings') {
    sendEmbeddings(response, body);
    return;
  }
  if (request.url !== '/v1/chat/completions') {
    sendJson(response, { status: 404, body: errorOf('The sandbox answers chat completions and embeddings only.') });
    return;
  }
  const asked = readRequest(body);
  if (asked === undefined) {
    sendJson(response, {
      status: 400,
      body: errorOf("'messages' must be an array of messages with a role and content."),
    });
    return;
  }
  const head = {
    id: `chatcmpl-sandbox-${randomBytes(12).toString('hex')}`,
    created: Math.floor(systemClock.now() / 1000),
    model: asked.model,
    system_fingerprint: 'fp_sandbox',
    service_tier: 'default',
  };
  const completion = completeInSandbox(asked);
  if (isRecord(body) && body['stream'] === true) sendStream(response, { head, completion, choices: asked.choices });
  else sendJson(response, { status: 200, body: wholeAnswer({ head, completion, choices: asked.choices }) });
}

function sendEmbeddings(response: ServerResponse, body: unknown): void {
  const embeddings = isRecord(body) ? embedInSandbox(body) : undefined;
  if (embeddings === undefined) sendJson(response, { status: 400, body: errorOf("'input' must be a text or texts.") });
  else sendJson(response, { status: 200, body: embeddings });
}

type Reply = {
  readonly head: Readonly<Record<string, unknown>>;
  readonly completion: SandboxCompletion;
  readonly choices: number;
};

function wholeAnswer({ head, completion, choices }: Reply): unknown {
  return {
    ...head,
    object: 'chat.completion',
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message: { role: 'assistant', content: completion.tokens.join(''), refusal: null },
      logprobs: null,
      finish_reason: completion.finishReason,
    })),
    usage: completion.usage,
  };
}

function sendStream(response: ServerResponse, { head, completion, choices }: Reply): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const send = (choice: unknown[], usage: unknown): void => {
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: choice, usage })}\n\n`);
  };
  for (let index = 0; index < choices; index += 1) {
    const chunk = (delta: unknown, finishReason: string | null): void =>
      send([{ index, delta, logprobs: null, finish_reason: finishReason }], null);
    chunk({ role: 'assistant', content: '' }, null);
    for (const token of completion.tokens) chunk({ content: token }, null);
    chunk({}, completion.finishReason);
  }
  send([], completion.usage);
  response.end('data: [DONE]\n\n');
}

function readRequest(body: unknown): SandboxRequest | undefined {
  if (!isRecord(body) || typeof body['model'] !== 'string' || !Array.isArray(body['messages'])) return undefined;
  const limit = body['max_completion_tokens'] ?? body['max_tokens'];
  return {
    model: body['model'],
    messages: body['messages'].filter(isRecord).map((message) => ({
      role: String(message['role']),
      text: textOf(message['content']),
    })),
    maxTokens: typeof limit === 'number' ? limit : null,
    choices: typeof body['n'] === 'number' ? body['n'] : 1,
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join(' ');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, answered: { status: number; body: unknown }): void {
  response.writeHead(answered.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answered.body));
}

function errorOf(message: string): unknown {
  return { error: { message, type: 'invalid_request_error', param: null, code: null } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
