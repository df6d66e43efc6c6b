import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { UPSTREAM_KEY } from '#world';

/** A provider that answers nobody before it is told to: so that calls are under way together, however slow the machine. */
export type HoldingUpstream = {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Bodies of the requests that wait, in the order they came. */
  waiting(): readonly Readonly<Record<string, unknown>>[];
  /** Answers all that wait. */
  release(): void;
  close(): Promise<void>;
};

type Waiting = { readonly body: Record<string, unknown>; readonly response: ServerResponse };

const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };

export async function startHoldingUpstream(): Promise<HoldingUpstream> {
  let waiting: Waiting[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => waiting.push({ body: JSON.parse(Buffer.concat(chunks).toString()), response }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: UPSTREAM_KEY,
    waiting: () => waiting.map(({ body }) => body),
    release: () => {
      for (const one of waiting) answer(one);
      waiting = [];
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer({ body, response }: Waiting): void {
  const whole = { id: 'chatcmpl-held', created: 1, model: body['model'] };
  if (body['stream'] !== true) {
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Held.' } }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...whole, object: 'chat.completion', choices, usage: USAGE }));
    return;
  }
  const chunk = { ...whole, object: 'chat.completion.chunk' };
  const events = [
    { ...chunk, choices: [{ index: 0, delta: { content: 'Held.' } }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { ...chunk, choices: [], usage: USAGE },
  ];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`);
}
