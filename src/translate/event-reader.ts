import { LIMITS } from '#terms';
import { EventBuffer, readEventPayload } from '#wires';
import type { AnswerEvent } from './answer.ts';
import type { StreamReader } from './side.ts';

/** Reads server-sent events, each one's payload by itself; comments and what is no JSON say nothing. */
export function eventReader(read: (payload: unknown) => readonly AnswerEvent[]): StreamReader {
  const buffer = new EventBuffer();
  let tooLarge = false;
  return {
    read(bytes) {
      if (tooLarge) return [];
      const events = buffer.push(bytes);
      if (buffer.restBytes > LIMITS.streamEventBytes) {
        tooLarge = true;
        return [TOO_LARGE];
      }
      const [first] = events;
      if (first !== undefined && events.length === 1) return read(readEventPayload(first));
      return events.flatMap((event) => [...read(readEventPayload(event))]);
    },
  };
}

/** What cannot be held cannot be put into other words. */
const TOO_LARGE: AnswerEvent = {
  kind: 'error',
  error: {
    status: 0,
    message: 'An event of the answer is too large to be translated.',
    type: 'api_error',
    code: null,
    param: null,
  },
};
