import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { systemClock } from '#std';
import { ApportionError } from '#terms';
import { scanMultipart, type MultipartForm } from '#wires';
import { answerCountTokens, answerMessages } from './anthropic.ts';
import { answerSpeech, answerTranscription } from './audio.ts';
import { answerEmbeddings } from './embedding.ts';
import { asObject, refuse, type JsonObject, type SandboxAnswer, type SandboxCall } from './exchange.ts';
import { answerGemini } from './gemini.ts';
import { answerImages } from './images.ts';
import { answerModerations } from './moderation.ts';
import { answerChat, answerCompletion } from './openai-chat.ts';
import { answerResponses } from './openai-responses.ts';

export type Sandbox = { close(): Promise<void> };

/**
 * Serves the sandbox on a Unix socket in each dialect's own format. It stands behind a real socket, so that a sandbox call
 * takes the very path that a paid call takes.
 */
export async function startSandbox(socketPath: string): Promise<Sandbox> {
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
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

const ROUTES: ReadonlyMap<string, (call: SandboxCall) => SandboxAnswer> = new Map([
  ['/v1/chat/completions', answerChat],
  ['/v1/completions', answerCompletion],
  ['/v1/responses', answerResponses],
  ['/v1/embeddings', answerEmbeddings],
  ['/v1/moderations', answerModerations],
  ['/v1/images/generations', answerImages],
  ['/v1/images/edits', answerImages],
  ['/v1/images/variations', answerImages],
  ['/v1/audio/speech', answerSpeech],
  ['/v1/audio/transcriptions', answerTranscription],
  ['/v1/audio/translations', answerTranscription],
  ['/v1/messages', answerMessages],
  ['/v1/messages/count_tokens', answerCountTokens],
]);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = await readBody(request);
  send(response, answerInSandbox(readCall(request.url ?? '/', { bytes, type: request.headers['content-type'] ?? '' })));
}

/** The answer to a call, whichever dialect its path belongs to. */
export function answerInSandbox(call: SandboxCall): SandboxAnswer {
  const route = ROUTES.get(call.path);
  if (route !== undefined) return route(call);
  return answerGemini(call) ?? refuse(`The sandbox does not answer ${call.path}.`, 404);
}

export function readCall(url: string, { bytes, type }: { bytes: Buffer; type: string }): SandboxCall {
  const { pathname, searchParams } = new URL(url, 'http://sandbox');
  return {
    path: decodeURIComponent(pathname),
    query: searchParams,
    bytes,
    body: parseBody(bytes),
    form: type.startsWith('multipart/form-data') ? parseForm(bytes, type) : null,
    unique: randomBytes(12).toString('hex'),
    createdS: Math.floor(systemClock.now() / 1000),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseBody(bytes: Buffer): JsonObject | null {
  try {
    return asObject(JSON.parse(bytes.toString('utf8')));
  } catch {
    // A form is no JSON, and what is neither is refused by the route.
    return null;
  }
}

function parseForm(bytes: Buffer, type: string): MultipartForm | null {
  try {
    return scanMultipart(bytes, type);
  } catch (error) {
    if (error instanceof ApportionError) return null;
    throw error;
  }
}

function send(response: ServerResponse, { status, type, pieces }: SandboxAnswer): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' });
  for (const piece of pieces.slice(0, -1)) response.write(piece);
  response.end(pieces.at(-1));
}
