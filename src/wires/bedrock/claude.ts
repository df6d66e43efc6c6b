import { anthropicMessages } from '../anthropic/index.ts';
import { MessageStreamMeter } from '../anthropic/stream.ts';
import { cloudBody } from '../cloud-body.ts';
import { asObject, asText, parseLoosely } from '../loose-json.ts';
import type {
  AnswerContext,
  AnswerFacts,
  ClosingCost,
  GivenAnswer,
  RequestBody,
  RequestEdit,
  StreamMeter,
  UpstreamPlace,
  Wire,
} from '../wire.ts';
import { DAMAGED, EVENT_STREAM, FrameBuffer, type Frame } from './frames.ts';
import { modelEvent, toServerSentEvent } from './invoke-stream.ts';

/** The one version that Bedrock knows (docs.aws.amazon.com, Anthropic Claude Messages API). */
const VERSION = 'bedrock-2023-05-31';

/** Bedrock reads them from the path. */
const IN_PATH: ReadonlySet<string> = new Set(['model', 'stream']);

/** Anthropic's messages at Bedrock's InvokeModel: the model in the path, the version in the body, frames for events. */
export const claudeAtBedrock: Wire = {
  ...anthropicMessages,
  name: 'bedrock.messages',
  writeRequest,
  meterStream: (context) => new ClaudeFramesMeter(context),
  far: {
    dialect: 'anthropic',
    path: invokePath,
    words: { isStream: (contentType) => contentType.includes(EVENT_STREAM), showAnswer },
  },
};

function invokePath({ basePath, model, stream }: UpstreamPlace): string {
  return `${basePath}/model/${encodeURIComponent(model)}/${stream ? 'invoke-with-response-stream' : 'invoke'}`;
}

function writeRequest(body: RequestBody, edit: RequestEdit): Buffer {
  return cloudBody(anthropicMessages.writeRequest(body, edit), {
    version: VERSION,
    betas: body.betas ?? '',
    without: IN_PATH,
  });
}

const ERROR_TYPES: ReadonlyMap<number, string> = new Map([
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [413, 'request_too_large'],
  [424, 'api_error'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
]);

/** Answers are Anthropic's own; errors are Amazon's, and are put into Anthropic's envelope. */
function showAnswer({ bytes, status }: GivenAnswer): Buffer {
  if (status < 300) return bytes;
  const given = asObject(parseLoosely(bytes.toString('utf8')));
  const message = asText(given?.['message']) || asText(given?.['Message']) || `Bedrock answered ${status}.`;
  const type = ERROR_TYPES.get(status) ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return Buffer.from(JSON.stringify({ type: 'error', error: { type, message } }));
}

/** Exceptions in a stream, by what Anthropic calls them. */
const STREAM_ERRORS: Readonly<Record<string, string>> = {
  throttlingException: 'rate_limit_error',
  serviceUnavailableException: 'overloaded_error',
  modelTimeoutException: 'timeout_error',
  validationException: 'invalid_request_error',
};

/** Takes the frames apart into Anthropic's events, and follows those. */
class ClaudeFramesMeter implements StreamMeter {
  readonly #frames = new FrameBuffer();
  readonly #events: MessageStreamMeter;

  constructor(context: AnswerContext) {
    this.#events = new MessageStreamMeter(context);
  }

  push(chunk: Buffer): Buffer | null {
    if (this.#frames.damaged) return null;
    const shown: Buffer[] = [];
    const show = (event: Buffer | null): void => {
      const passed = event === null ? null : this.#events.push(event);
      if (passed !== null) shown.push(passed);
    };
    for (const frame of this.#frames.push(chunk)) show(toEvent(frame));
    if (this.#frames.damaged) show(errorEvent('api_error', DAMAGED));
    return shown.length === 0 ? null : Buffer.concat(shown);
  }

  finished(): boolean {
    return this.#events.finished();
  }

  facts(): AnswerFacts {
    return this.#events.facts();
  }

  closing(cost: ClosingCost): Buffer {
    return this.#events.closing(cost);
  }
}

function toEvent(frame: Frame): Buffer | null {
  if (frame.kind === 'exception') {
    const message = asText(asObject(parseLoosely(frame.payload.toString('utf8')))?.['message']);
    return errorEvent(STREAM_ERRORS[frame.type] ?? 'api_error', message === '' ? frame.type : message);
  }
  const inside = modelEvent(frame);
  return inside === null ? null : toServerSentEvent(inside);
}

function errorEvent(type: string, message: string): Buffer {
  return Buffer.from(`event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message } })}\n\n`);
}
