import { randomBytes } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import { ApportionError, toOpenAiError, type TagSet } from '#terms';
import { NO_TARGET, openAiChat, type RequestBody } from '#wires';
import { OUR_FIELDS } from '../our-fields.ts';
import type { TagRequest, Tagging } from '../tagging.ts';
import { bodyIn, objectOf, readEvent, rewritten, textOf, valueOf, type RealtimeEvent } from './events.ts';
import { OrderedPipe } from './ordered-pipe.ts';
import type { ResponseLedger } from './response-ledger.ts';

export type BridgeParts = {
  readonly client: WebSocket;
  readonly upstream: WebSocket;
  readonly ledger: ResponseLedger;
  readonly tagging: Tagging;
  /** What was said of tags when the connection was made. */
  readonly said: Omit<TagRequest, 'body'>;
  readonly tags: TagSet;
  readonly failed: (error: unknown) => void;
};

/** How long a response that was cancelled, because its caller left, may take to say what it cost. */
const LEAVE_MS = 15_000;

const NO_BODY: RequestBody = { bytes: Buffer.from('{}'), members: new Map(), form: null, target: NO_TARGET };

/** What has a size of its own, wherever in an event it stands. */
const BOUNDLESS = [/"input_image"/, /"type"\s*:\s*"mcp"/, /"prompt"\s*:\s*\{/] as const;

/** One dialogue: events pass both ways in order; those that cost money wait for the ledger. */
export class Bridge {
  readonly #parts: BridgeParts;
  readonly #up: OrderedPipe;
  readonly #down: OrderedPipe;
  #sessionBody = NO_BODY;
  #tags: TagSet;
  /** Of responses that were asked for or run, for what they do not say themselves. */
  #maxOutputTokens: number | null = null;
  #leaving: NodeJS.Timeout | undefined;
  readonly closed: Promise<void>;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    this.#tags = parts.tags;
    const { client, upstream } = parts;
    this.#up = new OrderedPipe({
      from: client,
      to: upstream,
      take: (bytes) => this.#fromClient(bytes),
      failed: (error) => this.#fail(error),
    });
    this.#down = new OrderedPipe({
      from: upstream,
      to: client,
      take: (bytes) => this.#fromProvider(bytes),
      failed: (error) => this.#fail(error),
    });
    client.on('message', (data, isBinary) => this.#up.push(bytesOf(data), isBinary));
    upstream.on('message', (data, isBinary) => this.#down.push(bytesOf(data), isBinary));
    client.on('close', (code, reason) => this.#clientLeft(code, reason));
    // A protocol error closes the socket with its code.
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      const left = async (code: number, reason: Buffer): Promise<void> => {
        clearTimeout(this.#leaving);
        await this.#down.idle();
        await parts.ledger.lost('provider_left').catch(parts.failed);
        closeWith(client, code, reason);
        resolve();
      };
      if (upstream.readyState === upstream.CLOSED) void left(1006, Buffer.alloc(0));
      else upstream.once('close', (code, reason) => void left(code, reason));
    });
  }

  /** Ends the dialogue from our side. */
  close(code: number, reason: string): void {
    closeWith(this.#parts.client, code, Buffer.from(reason));
    this.#clientLeft(code, Buffer.from(reason));
  }

  /** A response that runs is cancelled, and waited for: its end says what it cost. */
  #clientLeft(code: number, reason: Buffer): void {
    const { upstream, ledger } = this.#parts;
    if (this.#leaving !== undefined || upstream.readyState === upstream.CLOSED) return;
    this.#leaving = setTimeout(() => upstream.terminate(), LEAVE_MS);
    void this.#up.idle().then(() => {
      if (ledger.isIdle) closeWith(upstream, code, reason);
      else if (upstream.readyState === upstream.OPEN) upstream.send('{"type":"response.cancel"}');
      this.#whenIdle = () => closeWith(upstream, code, reason);
    });
  }

  #whenIdle: (() => void) | null = null;

  #fail(error: unknown): void {
    const { client, upstream, failed } = this.#parts;
    failed(error);
    closeWith(client, 1011, Buffer.from('The gateway failed.'));
    upstream.terminate();
  }

  async #fromClient(bytes: Buffer): Promise<Buffer | null> {
    const { ledger } = this.#parts;
    ledger.bytes += bytes.length;
    const event = readEvent(bytes);
    if (event === null) return bytes;
    if (event.type === 'input_audio_buffer.append') return bytes;
    const text = bytes.toString('utf8');
    if (BOUNDLESS.some((pattern) => pattern.test(text))) ledger.boundless = true;
    try {
      if (event.type === 'session.update') return this.#updateSession(event);
      if (event.type === 'response.create') return await this.#createResponse(event);
      return bytes;
    } catch (error) {
      if (!(error instanceof ApportionError) || error.status >= 500) throw error;
      this.#tellClient(error, event.id);
      return null;
    }
  }

  /** Tags in `session` hold for what comes after; the provider knows no metadata there. */
  #updateSession(event: RealtimeEvent): Buffer {
    const body = bodyIn(event, 'session');
    if (body === null) return event.bytes;
    const { tagging, said } = this.#parts;
    this.#readSession(valueOf(event, 'session'));
    const { fields } = tagging.readLine(body);
    if (fields === null) return event.bytes;
    this.#tags = tagging.tagLine(fields, { ...said, body: NO_BODY });
    this.#sessionBody = body;
    const cleaned = openAiChat.writeRequest(body, {
      model: '',
      askUsage: false,
      drop: OUR_FIELDS,
      metadata: { action: 'drop' },
    });
    return rewritten(event, { name: 'session', body: cleaned, id: eventId() });
  }

  /** reserve: what has no room is refused with an error event, and the provider never hears of it. */
  async #createResponse(event: RealtimeEvent): Promise<Buffer | null> {
    const { tagging, said, ledger } = this.#parts;
    const body = bodyIn(event, 'response');
    const { fields, forwardMetadata } = body === null ? NOTHING_SAID : tagging.readLine(body);
    const tags = fields === null ? this.#tags : tagging.tagLine(fields, { ...said, body: this.#sessionBody });
    const response = objectOf(valueOf(event, 'response'));
    const id = event.id === '' ? eventId() : event.id;
    const maxOutputTokens = limitOf(response) ?? this.#maxOutputTokens;
    const problem = await ledger.ask({ eventId: id, tags, maxOutputTokens });
    if (problem !== null) {
      this.#tellClient(problem, event.id);
      return null;
    }
    const edit = { model: '', askUsage: false, drop: OUR_FIELDS, metadata: forwardMetadata };
    const cleaned = body === null || fields === null ? null : openAiChat.writeRequest(body, edit);
    return rewritten(event, { name: 'response', body: cleaned, id });
  }

  async #fromProvider(bytes: Buffer): Promise<Buffer> {
    const { ledger, upstream } = this.#parts;
    ledger.bytes += bytes.length;
    const event = readEvent(bytes);
    if (event === null) return bytes;
    switch (event.type) {
      case 'session.created':
      case 'session.updated':
        this.#readSession(valueOf(event, 'session'));
        break;
      case 'response.created': {
        const id = textOf(objectOf(valueOf(event, 'response'))?.['id']);
        const problem = await ledger.begun(id, { tags: this.#tags, maxOutputTokens: this.#maxOutputTokens });
        if (problem === null) break;
        upstream.send(JSON.stringify({ type: 'response.cancel', response_id: id }));
        this.#tellClient(problem, '');
        break;
      }
      case 'response.done':
        await ledger.done(objectOf(valueOf(event, 'response')) ?? {}, this.#tags);
        if (ledger.isIdle) this.#whenIdle?.();
        break;
      case 'conversation.item.input_audio_transcription.completed':
        await ledger.transcribed({ usage: valueOf(event, 'usage'), item_id: valueOf(event, 'item_id') }, this.#tags);
        break;
      case 'error': {
        const error = objectOf(valueOf(event, 'error'));
        await ledger.refused(textOf(error?.['event_id']), textOf(error?.['code']));
        if (ledger.isIdle) this.#whenIdle?.();
        break;
      }
      default:
    }
    return bytes;
  }

  #readSession(value: unknown): void {
    const session = objectOf(value);
    if (session === null) return;
    const { ledger } = this.#parts;
    const model = textOf(session['model']);
    if (model !== '') ledger.model = model;
    const input = objectOf(objectOf(session['audio'])?.['input']) ?? session;
    const heard = objectOf(input['transcription']) ?? objectOf(session['input_audio_transcription']);
    const transcriber = textOf(heard?.['model']);
    if (transcriber !== '') ledger.transcriptionModel = transcriber;
    const limit = limitOf(session);
    if (limit !== null) this.#maxOutputTokens = limit;
  }

  #tellClient(error: ApportionError, about: string): void {
    const { client } = this.#parts;
    if (client.readyState !== client.OPEN) return;
    const said = { ...toOpenAiError(error).error, event_id: about === '' ? null : about };
    client.send(JSON.stringify({ type: 'error', event_id: eventId(), error: said }));
  }
}

const NOTHING_SAID = { fields: null, forwardMetadata: { action: 'keep' } } as const;

/** Both spellings are in use; `inf` sets no limit. */
function limitOf(fields: { readonly [name: string]: unknown } | null): number | null {
  const limit = fields?.['max_output_tokens'] ?? fields?.['max_response_output_tokens'];
  return typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0 ? limit : null;
}

function eventId(): string {
  return `event_ap_${randomBytes(9).toString('base64url')}`;
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** Codes that an endpoint may send (RFC 6455, section 7.4); the others only say how it ended here. */
function closeWith(socket: WebSocket, code: number, reason: Buffer): void {
  if (socket.readyState === socket.CLOSED || socket.readyState === socket.CLOSING) return;
  if (code === 1005) socket.close();
  else if ((code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006) || (code >= 3000 && code <= 4999))
    socket.close(code, reason);
  else socket.close(1011, 'The other side is gone.');
}
