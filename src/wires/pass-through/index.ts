import { scanJsonObject } from '#std';
import type { Usage } from '#terms';
import { asText, memberValue } from '../loose-json.ts';
import { writeUntouched } from '../openai/write-request.ts';
import { NO_FACTS, type RequestBody, type StreamMeter, type Wire, type WireRequest } from '../wire.ts';

const NO_USAGE: Usage = { meters: {}, origin: 'reported', raw: '' };

/**
 * Routes that cost nothing by themselves: files, models, batches, stored answers. What comes goes on, but for our fields; what
 * is answered is not read, so a file full of numbers is never billed as tokens. The dialect is that of the route.
 */
export const passThrough: Wire = {
  name: 'pass_through',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest,
  writeRequest: writeUntouched,
  requestText: () => '',
  readAnswer: () => ({ ...NO_FACTS, usage: NO_USAGE, usageComplete: true }),
  meterStream: () => new UnreadStream(),
};

/** OpenAI's realtime sessions: events, not requests; the usage is in the events. */
export const openAiRealtime: Wire = { ...passThrough, name: 'openai.realtime' };

/** The same, for work that is begun: what it is called at the provider is read. */
export const passReceipt: Wire = {
  ...passThrough,
  readAnswer: (bytes) => ({ ...NO_FACTS, id: idOf(bytes), usage: NO_USAGE, usageComplete: true }),
};

function idOf(bytes: Buffer): string {
  const scan = scanJsonObject(bytes);
  return scan.ok
    ? asText(
        memberValue(
          bytes,
          scan.members.find(({ key }) => key === 'id'),
        ),
      )
    : '';
}

function readRequest(body: RequestBody): WireRequest {
  return {
    model: body.target.model === '' ? modelOf(body) : body.target.model,
    stream: false,
    wantsUsage: false,
    maxOutputTokens: 0,
    choices: 1,
    maxInputTokens: 0,
  };
}

/** The model where the body names one; what else it may say is not ours to judge. */
function modelOf({ bytes, form, members }: RequestBody): string {
  const field = form?.fields.get('model');
  if (field !== undefined) return bytes.toString('utf8', field.valueStart, field.valueEnd);
  return asText(memberValue(bytes, members.get('model')));
}

class UnreadStream implements StreamMeter {
  push(chunk: Buffer): Buffer {
    return chunk;
  }

  finished(): boolean {
    return false;
  }

  facts(): ReturnType<StreamMeter['facts']> {
    return { ...NO_FACTS, usage: NO_USAGE, usageComplete: true };
  }

  closing(): Buffer {
    return Buffer.alloc(0);
  }
}
