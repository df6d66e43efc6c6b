import { randomBytes } from 'node:crypto';
import { systemClock } from '#std';

export function makeId(prefix: string): string {
  return `${prefix}${randomBytes(14).toString('hex')}`;
}

export function nowSeconds(): number {
  return Math.floor(systemClock.now() / 1000);
}

/** The headers of every answer. `requestId` is what a bill names an answer by that has no id of its own. */
export function openAiHeaders(requestId = makeId('req_')): Readonly<Record<string, string>> {
  return { 'openai-processing-ms': '12', 'openai-version': '2020-10-01', 'x-request-id': requestId };
}

export const DATA_ERROR = `data: ${JSON.stringify({
  error: {
    message: 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
    param: null,
    code: null,
  },
})}`;

export function dataEvent(payload: object, says = false): { text: string; says: boolean } {
  return { text: `data: ${JSON.stringify(payload)}`, says };
}

/** An event with a name, as the newer streams have; the payload repeats it. */
export function typedEvent(type: string, fields: object, says = false): { text: string; says: boolean } {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}`, says };
}

export const DONE = { text: 'data: [DONE]', says: false };
