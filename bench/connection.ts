import { connect, type Socket } from 'node:net';

export type Timing = { readonly totalMs: number; readonly firstByteMs: number; readonly status: number };

/**
 * One keep-alive connection, one request at a time, written and read as raw bytes: on a small machine a full HTTP client
 * takes so much of the processor that the round would measure the client.
 */
export class Connection {
  readonly #socket: Socket;
  #received = '';
  #sentAt = 0;
  #firstByteMs = 0;
  #finish: ((timing: Timing) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(url: URL) {
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    const ended = (error?: Error): void => this.#fail?.(error ?? new Error('the connection was closed'));
    this.#socket.on('error', ended);
    this.#socket.on('close', () => ended());
  }

  request(bytes: Buffer): Promise<Timing> {
    this.#received = '';
    this.#firstByteMs = 0;
    this.#sentAt = performance.now();
    this.#socket.write(bytes);
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  close(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    if (this.#firstByteMs === 0 && this.#received.length > headEnd + 4)
      this.#firstByteMs = performance.now() - this.#sentAt;
    if (!isWhole(this.#received, headEnd)) return;
    const timing = {
      totalMs: performance.now() - this.#sentAt,
      firstByteMs: this.#firstByteMs,
      status: Number(this.#received.slice(9, 12)),
    };
    this.#finish?.(timing);
  }
}

const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

function isWhole(received: string, headEnd: number): boolean {
  const length = CONTENT_LENGTH.exec(received.slice(0, headEnd))?.[1];
  if (length === undefined) return received.endsWith('\r\n0\r\n\r\n');
  return received.length >= headEnd + 4 + Number(length);
}

export function requestBytes(url: URL, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  const head = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`;
  return Buffer.from(`${head}${lines.join('')}\r\n${body}`);
}
