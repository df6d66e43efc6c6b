import { connect } from 'node:net';

const WAIT_MS = 60_000;

/** Sends these bytes and reads until the server closes the connection; what an HTTP client would never send. */
export function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection stays open after ${JSON.stringify(answer)}`));
    }, WAIT_MS);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    // A reset after an answer is a way to close.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

/** The status of each answer, in order. */
export function statusesOf(answer: string): readonly number[] {
  return Array.from(answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm), ([, status]) => Number(status));
}
