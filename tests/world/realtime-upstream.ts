import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { UPSTREAM_KEY } from './upstream.ts';

/** A response on the bill: exact pico-dollars at gpt-realtime's prices. */
export type RealtimeBill = ReadonlyMap<string, bigint>;

export type RealtimeUpstream = {
  readonly baseUrl: string;
  readonly apiKey: string;
  bill(): RealtimeBill;
  /** Addresses that dialogues were opened at, with their queries. */
  opened(): readonly string[];
  /** Events of clients as they arrived. */
  received(): readonly Readonly<Record<string, unknown>>[];
  /** Begins a response of its own accord, as after a spoken turn. */
  speak(): void;
  /** From now on responses begin and do not end, until `finish` or a cancellation. */
  stall(): void;
  finish(): void;
  /** Says what it heard. */
  transcribe(): void;
  /** Resolves with the close code of the next dialogue that ends. */
  left(): Promise<number>;
  /** Breaks all dialogues off, or ends them with a code. */
  drop(code?: number): void;
  close(): Promise<void>;
};

type Event = Readonly<Record<string, unknown>>;

/** gpt-realtime, USD per million: text 4 in, 0.40 cached, 16 out; audio 32 in, 0.40 cached, 64 out. */
const PICO = { text: 4_000_000n, audio: 32_000_000n, cached: 400_000n, outText: 16_000_000n, outAudio: 64_000_000n };

/** whisper-1 is billed by the second, gpt-4o-mini-transcribe by tokens: 1.25 text in, 3 audio in, 5 out. */
const TRANSCRIPTION_PICO = 10n * 3_000_000n + 4n * 5_000_000n;

const SESSION_FIELDS = new Set([
  'type',
  'model',
  'instructions',
  'audio',
  'output_modalities',
  'max_output_tokens',
  'tools',
  'voice',
]);
const RESPONSE_FIELDS = new Set([
  'instructions',
  'max_output_tokens',
  'metadata',
  'conversation',
  'input',
  'output_modalities',
]);

class Dialogues {
  readonly bill = new Map<string, bigint>();
  readonly received: Event[] = [];
  readonly #running = new Map<string, WebSocket>();
  leaving = Promise.withResolvers<number>();
  stalled = false;
  #made = 0;

  add(socket: WebSocket): void {
    socket.on('message', (data) => this.#hear(socket, JSON.parse(textOf(data))));
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      for (const [id, of] of this.#running) if (of === socket) this.#running.delete(id);
      this.leaving.resolve(code);
      this.leaving = Promise.withResolvers<number>();
    });
    this.#tell(socket, { type: 'session.created', session: { type: 'realtime', model: SNAPSHOT } });
  }

  begin(socket: WebSocket): void {
    this.#made += 1;
    const id = `resp_${this.#made}`;
    this.#running.set(id, socket);
    const response = { id, object: 'realtime.response', status: 'in_progress' };
    this.#tell(socket, { type: 'response.created', response });
    this.#tell(socket, { type: 'response.output_text.delta', response_id: id, delta: 'hello' });
    if (!this.stalled) this.#end(id, 'completed');
  }

  finish(): void {
    this.stalled = false;
    for (const id of this.#running.keys()) this.#end(id, 'completed');
  }

  transcribe(socket: WebSocket): void {
    this.#made += 1;
    const item_id = `item_${this.#made}`;
    this.bill.set(item_id, TRANSCRIPTION_PICO);
    const type = 'conversation.item.input_audio_transcription.completed';
    const details = { input_token_details: { audio_tokens: 10, text_tokens: 0 } };
    const usage = { type: 'tokens', input_tokens: 10, output_tokens: 4, total_tokens: 14, ...details };
    this.#tell(socket, { type, item_id, content_index: 0, transcript: 'hi', usage });
  }

  #tell(socket: WebSocket, event: Event): void {
    this.#made += 1;
    socket.send(JSON.stringify({ event_id: `event_${this.#made}`, ...event }));
  }

  #end(id: string, status: string): void {
    const socket = this.#running.get(id);
    if (socket === undefined) return;
    this.#running.delete(id);
    const { usage, cost } = usageOf(Number(id.slice('resp_'.length)), status);
    this.bill.set(id, cost);
    this.#tell(socket, { type: 'response.done', response: { id, object: 'realtime.response', status, usage } });
  }

  #refuse(socket: WebSocket, { event_id: about }: Event, code: string): void {
    const error = { type: 'invalid_request_error', code, message: code, param: null, event_id: about ?? null };
    this.#tell(socket, { type: 'error', error });
  }

  #hear(socket: WebSocket, event: Event): void {
    this.received.push(event);
    const said = (event['session'] ?? event['response'] ?? {}) as Event;
    const known = event['type'] === 'session.update' ? SESSION_FIELDS : RESPONSE_FIELDS;
    if (Object.keys(said).some((name) => !known.has(name))) return this.#refuse(socket, event, 'unknown_parameter');
    if (event['type'] === 'session.update')
      return this.#tell(socket, { type: 'session.updated', session: { model: SNAPSHOT, ...said } });
    if (event['type'] === 'response.cancel')
      for (const [id, of] of this.#running) if (of === socket) this.#end(id, 'cancelled');
    if (event['type'] !== 'response.create') return undefined;
    const busy = [...this.#running.values()].includes(socket);
    return busy ? this.#refuse(socket, event, 'conversation_already_has_active_response') : this.begin(socket);
  }
}

const SNAPSHOT = 'gpt-realtime-2025-08-28';

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : '';
}

function usageOf(number: number, status: string): { readonly usage: object; readonly cost: bigint } {
  const [text, audio, cached, outAudio] = [10 + number, 20 + number, 3, 7];
  const outText = status === 'cancelled' ? 1 : 5 + number;
  const usage = {
    total_tokens: text + audio + outText + outAudio,
    input_tokens: text + audio,
    output_tokens: outText + outAudio,
    input_token_details: {
      text_tokens: text,
      audio_tokens: audio,
      cached_tokens: 2 * cached,
      cached_tokens_details: { text_tokens: cached, audio_tokens: cached },
    },
    output_token_details: { text_tokens: outText, audio_tokens: outAudio },
  };
  const fresh = BigInt(text - cached) * PICO.text + BigInt(audio - cached) * PICO.audio;
  const said = BigInt(outText) * PICO.outText + BigInt(outAudio) * PICO.outAudio;
  return { usage, cost: fresh + BigInt(2 * cached) * PICO.cached + said };
}

/** OpenAI's realtime dialogues, as far as money goes, with a bill of their own. Fields it does not know are errors. */
export async function startRealtimeUpstream(): Promise<RealtimeUpstream> {
  const opened: string[] = [];
  const dialogues = new Dialogues();
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.headers.authorization !== `Bearer ${UPSTREAM_KEY}`) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
      return;
    }
    opened.push(request.url ?? '');
    sockets.handleUpgrade(request, socket, head, (one) => dialogues.add(one));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    baseUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`,
    apiKey: UPSTREAM_KEY,
    bill: () => new Map(dialogues.bill),
    opened: () => [...opened],
    received: () => [...dialogues.received],
    speak: () => sockets.clients.forEach((one) => dialogues.begin(one)),
    stall: () => {
      dialogues.stalled = true;
    },
    finish: () => dialogues.finish(),
    transcribe: () => sockets.clients.forEach((one) => dialogues.transcribe(one)),
    left: () => dialogues.leaving.promise,
    drop: (code) => {
      for (const one of sockets.clients) {
        if (code === undefined) one.terminate();
        else one.close(code, 'enough');
      }
    },
    close: async () => {
      for (const one of sockets.clients) one.terminate();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
